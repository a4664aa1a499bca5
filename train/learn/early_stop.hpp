/// \file
/// `stop: {metric: loss, patience: 3}`: when a phase has learnt enough.
#pragma once

#include "language/recipe/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/state.hpp"

namespace graphrun::train {

enum class StopVerdict {
  best,     ///< better than all before: these weights are the ones to keep
  wait,     ///< not better, but there is patience left
  give_up,  ///< not better `patience` times in a row
};

/// Judges a new measurement and notes it in the state, so that a resumed run judges alike. NaN is never best.
StopVerdict judge(const StopRule& stop, double figure, TrainingState& state);

/// Judges a new measurement of the weights as they are, keeps them when they are the best, and ends the stage
/// (state().ended) when patience does. Are they the best?
bool note_measurement(const StopRule& stop, double figure, Learner& learner);
/// Goes back to the weights of the best measurement, which are kept no longer; false when there are none.
bool restore_best(Learner& learner);

/// The name under which the weights of the best measurement are kept while a phase goes on.
inline constexpr const char* kept_best = "stop.best";

}  // namespace graphrun::train
