#include "ops/pattern.hpp"

#include <algorithm>
#include <cmath>

namespace graphrun::ops {

std::optional<double> scalar_constant(const Builder& builder, NodeId id) {
  const Node& node = builder.node(id);
  if (!node.op->traits.constant || !node.type.shape.empty()) return std::nullopt;
  return node.attributes.numbers("values").at(0);
}

bool is_uniformly(const Builder& builder, NodeId id, double value) {
  while (builder.node(id).op->traits.moves) id = builder.node(id).inputs[0];
  const Node& node = builder.node(id);
  if (!node.op->traits.constant) return false;
  const std::vector<double>& values = node.attributes.numbers("values");
  return std::all_of(values.begin(), values.end(), [value](double element) {
    return element == value && std::signbit(element) == std::signbit(value);
  });
}

std::optional<NodeId> without_neutral(const CanonicaliseContext& context, std::size_t kept, double neutral) {
  const NodeId operand = context.node.inputs[kept];
  const bool same_type = context.builder.type(operand) == context.node.type;
  if (!same_type || !is_uniformly(context.builder, context.node.inputs[1 - kept], neutral))
    return std::nullopt;
  return operand;
}

const std::vector<NodeId>* inputs_of(const Builder& builder, NodeId id, std::string_view op) {
  const Node& node = builder.node(id);
  return node.op->name == op ? &node.inputs : nullptr;
}

std::optional<NodeId> log_one_minus_sigmoid_argument(const Builder& builder, NodeId id) {
  const auto* negated = inputs_of(builder, id, "neg");
  const auto* argument = negated == nullptr ? nullptr : inputs_of(builder, negated->front(), "softplus");
  return argument == nullptr ? std::nullopt : std::optional(argument->front());
}

std::optional<NodeId> log_sigmoid_argument(const Builder& builder, NodeId id) {
  const std::optional<NodeId> argument = log_one_minus_sigmoid_argument(builder, id);
  const auto* z = argument ? inputs_of(builder, *argument, "neg") : nullptr;
  return z == nullptr ? std::nullopt : std::optional(z->front());
}

}  // namespace graphrun::ops
