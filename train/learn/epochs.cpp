#include "train/learn/epochs.hpp"

#include <algorithm>

namespace graphrun::train {

namespace {

bool counts(const Schedule& schedule) {
  return schedule.shape == Schedule::Shape::warmup && schedule.unit == Schedule::Unit::epochs;
}

bool counts(const PhaseSpec& phase) {
  const std::vector<StepSpec> steps = steps_of(phase);
  return counts(phase.optimizer.learning_rate) ||
         std::any_of(steps.begin(), steps.end(),
                     [](const StepSpec& step) { return counts(step.optimizer.learning_rate); });
}

}  // namespace

bool warms_up_over_epochs(const ModelDefinition& model) {
  const bool scheduled = std::any_of(model.scheduled.begin(), model.scheduled.end(),
                                     [](const ScheduledInput& input) { return counts(input.schedule); });
  return scheduled || (model.train && counts(*model.train));
}

}  // namespace graphrun::train
