#include "graph/passes/fold_constants.hpp"

#include <algorithm>
#include <cmath>

#include "graph/interpreter.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {
namespace {

bool is_small(const Type& type) {
  const bool fixed =
      std::all_of(type.shape.begin(), type.shape.end(), [](Dim dim) { return dim.is_number(); });
  return fixed && element_count(graphrun::bind(type.shape, 1)) <= most_folded_elements;
}

bool is_pure(const OpDef& op) {
  const Traits& t = op.traits;
  return op.reference != nullptr && !t.random && !t.effect && !t.variable && !t.input && !t.mode &&
         !t.gradient && !t.forwards_first;
}

/// Small constants, and the nodes that follow from them alone, in order.
std::vector<NodeId> known_nodes(const Graph& graph) {
  std::vector<bool> known(graph.size(), false);
  std::vector<NodeId> list;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const bool inputs_known =
        std::all_of(node.inputs.begin(), node.inputs.end(), [&](NodeId input) { return known[input]; });
    known[id] = is_pure(*node.op) && is_small(node.type) && node.controls.empty() && inputs_known &&
                (node.op->traits.constant || !node.inputs.empty());
    if (known[id]) list.push_back(id);
  }
  return list;
}

}  // namespace

Graph fold_constants(Graph graph, const OpRegistry& registry) {
  const std::vector<NodeId> known = known_nodes(graph);
  std::vector<HostTensor> values(graph.size());
  recompute(graph, {}, known, values);
  const auto fold = [&](Builder& builder, const Node& node, NodeId id) -> std::optional<NodeId> {
    if (!std::binary_search(known.begin(), known.end(), id) || node.op->traits.constant) return std::nullopt;
    return builder.add("constant", {},
                       {{"values", values[id].values},
                        {"shape", node.type.shape},
                        {"dtype", std::string(to_string(node.type.dtype))}});
  };
  return rewrite(std::move(graph), registry, fold);
}

}  // namespace graphrun
