/// \file
/// The stages of a run: each phase, each draw of it, each layer of a greedy one, one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/state.hpp"

namespace graphrun::train {

struct Stage {
  std::size_t phase = 0;  ///< index into train.phases
  std::uint64_t draw = 0;
  std::uint64_t layer = 0;   ///< of a greedy phase, outermost 0
  std::uint64_t layers = 0;  ///< 0: not greedy
  bool is_last_layer() const { return layer + 1 >= layers; }
};

std::vector<Stage> stages_of(const TrainRecipe& train);

/// "tuned, draw 3 of 20", "layers, layer 1 of 4"; empty for a model without phases.
std::string name_of(const TrainRecipe& train, const Stage& stage);

/// The stage in which a run stands. Error{usage} when the model has no such stage (any more).
std::size_t stage_at(const TrainRecipe& train, const std::vector<Stage>& stages, const TrainingState& state);

/// The seed of all that differs between draws: which examples are chosen, in which order they come, and the
/// first weights. The first draw has the run's own.
std::uint64_t seed_of_draw(std::uint64_t seed, std::uint64_t draw);

/// The examples of a phase, in one draw. `labels` names the column with labels, for balanced samples; it may
/// be empty. Error{usage} when there are not enough, Error{data} when a balanced sample has no labels.
Examples subset_of(const Examples& examples, const SubsetRecipe& subset, std::uint64_t seed,
                   const std::string& labels);

}  // namespace graphrun::train
