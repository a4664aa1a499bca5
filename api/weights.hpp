/// \file
/// What a Weights object holds: a learner that never learns.
#pragma once

#include <memory>

#include "graphrun/predictor.hpp"
#include "language/values/schedule.hpp"
#include "runtime/execute/shared_program.hpp"
#include "train/learn/learner.hpp"

namespace graphrun {

class Weights::Implementation {
 public:
  /// All variables of the model, without values.
  explicit Implementation(Model model);

  Model model;
  train::Learner learner;
  runtime::SharedVariables variables;  ///< the learner's

  Progress progress() const;  ///< where its schedules stand
};

}  // namespace graphrun
