// The weights of a learner as a whole: begun anew, put aside, put back.
#include <algorithm>

#include "train/learn/learner.hpp"

namespace graphrun::train {

void Learner::initialise_again(std::uint64_t seed) {
  for (const Node& node : model().graph.nodes())
    if (node.op->traits.variable) variables().get(node.name).initialised = false;
  variables().initialise(seed);
}

Learner::Weights Learner::weights() const {
  Weights weights;
  for (const Node& node : model().graph.nodes()) {
    if (!node.op->traits.variable) continue;
    const runtime::VariableStore::Variable& variable = *variables().find(node.name);
    weights[node.name].assign(variable.values.begin(), variable.values.end());
  }
  return weights;
}

void Learner::set_weights(const Weights& weights) {
  for (const auto& [name, values] : weights) {
    runtime::VariableStore::Variable* variable = variables().find(name);
    if (variable == nullptr || variable->values.size() != values.size()) continue;
    std::copy(values.begin(), values.end(), variable->values.begin());
    variable->initialised = true;
  }
}

void Learner::reset_optimizers() {
  for (runtime::VariableStore::Variable* variable : variables().all())
    if (!model().graph.find(variable->name)) variable->initialised = false;
  initialise();
}

}  // namespace graphrun::train
