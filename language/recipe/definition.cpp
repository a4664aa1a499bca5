#include "language/recipe/definition.hpp"

namespace graphrun {

std::optional<NodeId> ModelDefinition::role(std::string_view called) const {
  for (const NamedOutput& output : roles)
    if (output.name == called) return output.node;
  return std::nullopt;
}

std::vector<StepRecipe> steps_of(const PhaseRecipe& phase) {
  if (!phase.alternate.empty()) return phase.alternate;
  return {{phase.optimizer, phase.train, phase.loss, 1, phase.where}};
}

}  // namespace graphrun
