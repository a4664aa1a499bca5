#include "ops/elementwise/pattern.hpp"

#include <algorithm>
#include <cmath>

namespace graphrun::ops {

std::optional<double> scalar_constant(const Builder& builder, NodeId id) {
  const Node& node = builder.node(id);
  if (!node.op->traits.constant || !node.type.shape.empty()) return std::nullopt;
  return node.attributes.numbers("values").at(0);
}

std::optional<double> uniform_constant(const Builder& builder, NodeId id) {
  while (builder.node(id).op->traits.moves) id = builder.node(id).inputs[0];
  const Node& node = builder.node(id);
  if (!node.op->traits.constant) return std::nullopt;
  const std::vector<double>& values = node.attributes.numbers("values");
  if (values.empty()) return std::nullopt;
  const auto alike = [&](double value) {
    return value == values[0] && std::signbit(value) == std::signbit(values[0]);
  };
  return std::all_of(values.begin(), values.end(), alike) ? std::optional(values[0]) : std::nullopt;
}

std::optional<NodeId> without_neutral(const RuleContext& context, std::size_t kept, double neutral) {
  const NodeId operand = context.node.inputs[kept];
  if (context.builder.type(operand) != context.node.type) return std::nullopt;
  const std::optional<double> other = uniform_constant(context.builder, context.node.inputs[1 - kept]);
  if (other != neutral || std::signbit(*other) != std::signbit(neutral)) return std::nullopt;
  return operand;
}

const std::vector<NodeId>* inputs_of(const Builder& builder, NodeId id, std::string_view op) {
  const Node& node = builder.node(id);
  return node.op->name == op && has_defaults(node) ? &node.inputs : nullptr;
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
