/// \file
/// What the phases of a model learn from: examples in memory, or a source that is asked anew for each phase.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/loop.hpp"
#include "train/learn/stages.hpp"
#include "train/learn/supply/source_supply.hpp"

namespace graphrun::train {

class Lessons {
 public:
  virtual ~Lessons() = default;
  /// How an epoch of the phase is cut into batches.
  virtual BatchPlan plan(const PhaseRecipe& phase) const = 0;
  /// Makes ready what the stage learns from; the weights must be there. False when a stop came in between.
  virtual bool begin(const Stage& stage, const std::stop_token& stop) = 0;
  /// Learns from it by the steps in use: learn() of loop.hpp.
  virtual LoopEnd learn(const LoopOptions& options, LoopObserver& observer) = 0;
};

class ExampleLessons final : public Lessons {
 public:
  /// The references must outlive this. Errors as subset_of(), for all phases.
  ExampleLessons(Learner& learner, const Examples& examples);

  BatchPlan plan(const PhaseRecipe& phase) const override;
  bool begin(const Stage& stage, const std::stop_token& stop) override;
  LoopEnd learn(const LoopOptions& options, LoopObserver& observer) override;

 private:
  Learner& learner_;
  const Examples& examples_;
  std::optional<Examples> of_stage_;
};

/// A phase with a subset reads the first so many rows into memory and learns from these; any other asks the
/// source for each of its epochs. What a greedy layer is given is computed batch by batch, by the layers
/// below.
class SourceLessons final : public Lessons {
 public:
  /// `rows` in an epoch; 0: not known. The references must outlive this. Error{usage} for a subset without
  /// `first`, of which nobody knows how much memory it needs.
  SourceLessons(Learner& learner, RowSource& source, std::int64_t rows);

  BatchPlan plan(const PhaseRecipe& phase) const override;
  bool begin(const Stage& stage, const std::stop_token& stop) override;
  LoopEnd learn(const LoopOptions& options, LoopObserver& observer) override;

 private:
  bool begin_held(const Stage& stage, const std::stop_token& stop);
  void begin_epochs(const Stage& stage);

  Learner& learner_;
  RowSource& source_;
  std::int64_t rows_;
  Examples held_;                      ///< the first rows, for a phase with a subset
  std::optional<Examples> of_stage_;   ///< those of them that the stage learns from
  std::optional<NodeId> layer_input_;  ///< of a greedy stage, unless it is an input of the model
};

}  // namespace graphrun::train
