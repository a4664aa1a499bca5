#include "train/learn/variable_copies.hpp"

#include <algorithm>

#include "graph/op.hpp"

namespace graphrun::train {

VariableCopies::VariableCopies(const Graph& graph, runtime::VariableStore& variables) {
  for (const Node& node : graph.nodes()) {
    for (const std::size_t written : node.op->writes) {
      const std::span<float> values = variables.get(graph.node(node.inputs[written]).name).values;
      copies_.push_back({values, std::vector<float>(values.size())});
    }
  }
}

void VariableCopies::take() noexcept {
  for (Copy& copy : copies_) std::ranges::copy(copy.of, copy.values.begin());
}

void VariableCopies::give_back() const noexcept {
  for (const Copy& copy : copies_) std::ranges::copy(copy.values, copy.of.begin());
}

}  // namespace graphrun::train
