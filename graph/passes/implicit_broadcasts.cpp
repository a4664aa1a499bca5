#include "graph/passes/implicit_broadcasts.hpp"

#include "graph/rewrite.hpp"

namespace graphrun {
namespace {

/// What `id` repeats, or nothing.
std::optional<NodeId> unrepeated(Builder& builder, NodeId id) {
  const Node& node = builder.node(id);
  if (node.op->traits.stretches) return node.inputs.at(0);
  if (!node.op->traits.constant || node.type.dtype != DType::f32 || node.type.shape.empty())
    return std::nullopt;
  const std::vector<double>& values = node.attributes.numbers("values");
  return values.size() == 1 ? std::optional(builder.constant(values[0])) : std::nullopt;
}

Type inferred(const Builder& builder, const Node& node, const std::vector<NodeId>& inputs) {
  std::vector<Type> types;
  for (const NodeId input : inputs) types.push_back(builder.type(input));
  return node.op->infer({types, node.attributes});
}

bool may_use(const Node& node) {
  return node.op->traits.elementwise && node.inputs.size() > 1 && node.controls.empty();
}

}  // namespace

Graph use_implicit_broadcasts(const Graph& graph, const OpRegistry& registry) {
  const auto visit = [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!may_use(node)) return std::nullopt;
    std::vector<NodeId> inputs = node.inputs;
    for (NodeId& input : inputs) {
      const NodeId before = input;
      input = unrepeated(builder, input).value_or(input);
      if (inferred(builder, node, inputs) != node.type) input = before;
    }
    if (inputs == node.inputs) return std::nullopt;
    return builder.add_like(node, inputs, node.controls);
  };
  return rewrite(graph, registry, visit);
}

}  // namespace graphrun
