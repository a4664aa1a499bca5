#include "runtime/lower/rows.hpp"

#include <algorithm>
#include <vector>

namespace graphrun::runtime {
namespace {

bool has_batch(const Type& type) {
  return std::ranges::any_of(type.shape, [](Dim dim) { return !dim.is_number(); });
}

bool starts_with_batch(const Type& type) {
  return !type.shape.empty() && type.shape.front().is_batch();
}

bool depends_on_batch(const Graph& graph, const Node& node) {
  return has_batch(node.type) ||
         std::ranges::any_of(node.inputs, [&](NodeId input) { return has_batch(graph.node(input).type); });
}

}  // namespace

bool runs_by_rows(const Graph& graph, const Node& node) {
  if (!starts_with_batch(node.type) || node.op->axes == nullptr) return false;
  std::vector<Type> inputs;
  for (const NodeId input : node.inputs) inputs.push_back(graph.node(input).type);
  const std::vector<AxisMap> maps = node.op->axes({inputs, node.type, node.attributes});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (has_batch(inputs[i]) && !(starts_with_batch(inputs[i]) && maps[i][0] == 0)) return false;
  }
  return true;
}

bool rows_are_independent(const Graph& graph) {
  const auto by_rows = [&](const Node& node) {
    if (!depends_on_batch(graph, node)) return true;
    return node.op->traits.input ? starts_with_batch(node.type) : runs_by_rows(graph, node);
  };
  const auto has_rows = [&](const NamedOutput& output) {
    return starts_with_batch(graph.node(output.node).type);
  };
  return std::ranges::all_of(graph.nodes(), by_rows) && std::ranges::all_of(graph.outputs(), has_rows);
}

}  // namespace graphrun::runtime
