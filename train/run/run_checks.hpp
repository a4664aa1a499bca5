/// \file
/// What can be wrong with a run although model and data are right each by itself: said before a folder is
/// made or a step is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/loop.hpp"

namespace graphrun::train {

/// Without test data, a phase can only stop by a figure that it learns. Error{usage} at the `stop:` of
/// another.
void require_stops_by(const std::vector<std::string>& learnt, const TrainRecipe& train);

/// Error{usage} at an input that learning needs and the training data have no values for, or measuring and
/// the test data; these may be null.
void require_inputs(const ModelDefinition& model, const Examples& examples, const Examples* test);

/// Error{data} at a probe that needs labels which one of the splits does not have.
void require_probed_labels(const ModelDefinition& model, const Examples& examples, const Examples& test);

/// Error{data} at a `stop:` by a probe whose labels the data that are measured (the `split` data) have not.
void require_stops_measured(const ModelDefinition& model, const Examples& measured, const std::string& split);

/// Training may be changed on the way (more epochs, another rate); what is learnt, and in which precision,
/// may not. Error{usage}.
void require_same_computation(const ModelDefinition& model, Precision precision,
                              const Checkpoint& checkpoint);

/// Members of a team learn the same model from the same data, measure it on the same, each a part of them,
/// with the same program on processors of one kind, from the same weights to the same step. Error{usage} on
/// all of them, with the first that differs. A call of all.
void require_same_run(Learner& learner, const Examples& examples, const std::vector<Examples>& measured,
                      std::optional<std::uint64_t> max_steps);

/// Error{usage} when the run was interrupted behind the last batch that an epoch has now.
void require_position_fits(const TrainingState& state, const BatchPlan& plan);

}  // namespace graphrun::train
