#include "language/recipe/definition.hpp"

namespace graphrun {

std::vector<StepSpec> steps_of(const PhaseSpec& phase) {
  if (!phase.alternate.empty()) return phase.alternate;
  return {{phase.optimizer, phase.train, phase.loss, 1, phase.where}};
}

}  // namespace graphrun
