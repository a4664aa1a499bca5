/// \file
/// Repeats values as late as can be. An elementwise op broadcasts by itself: an operand that was repeated to
/// a larger shape, or a constant that holds one number in every element, is used as it was before; if no
/// operand fills the shape of the result, the result is computed small and repeated. A single number that was
/// repeated stays a single number through reshapes.
///
/// Safe because the elements that meet are the same. Runs after autograd, which repeats the cotangents of
/// sums: the scale of a mean loss then is one number, known when the batch is bound, and needs no pass over
/// memory.
#include <algorithm>
#include <array>

#include "graph/broadcast.hpp"
#include "graph/passes/apply_rules.hpp"

namespace graphrun {
namespace {

bool is_single(const Type& type) {
  return std::all_of(type.shape.begin(), type.shape.end(), [](Dim dim) { return dim.is_number(1); });
}

/// A single number as it was before reshapes that only added axes of one.
NodeId without_ones(const Builder& builder, NodeId id) {
  while (is_single(builder.type(id)) && builder.node(id).op->traits.moves) {
    const NodeId source = builder.node(id).inputs.at(0);
    if (!is_single(builder.type(source)) || builder.type(source).shape.size() > builder.type(id).shape.size())
      break;
    id = source;
  }
  return id;
}

/// What `id` repeats, or nothing.
std::optional<NodeId> before_repeating(Builder& builder, NodeId id) {
  const Node& node = builder.node(id);
  if (node.op->traits.stretches) return without_ones(builder, node.inputs.at(0));
  if (!node.op->traits.constant || node.type.dtype != DType::f32 || node.type.shape.empty())
    return std::nullopt;
  const std::vector<double>& values = node.attributes.numbers("values");
  return values.size() == 1 ? std::optional(builder.constant(values[0])) : std::nullopt;
}

std::optional<NodeId> elementwise(RuleContext& context) {
  const Node& node = context.node;
  if (!node.op->traits.elementwise) return std::nullopt;
  Builder& builder = context.builder;
  std::vector<NodeId> inputs = node.inputs;
  for (NodeId& input : inputs) {
    input = before_repeating(builder, input).value_or(input);
  }
  if (inputs == node.inputs) return std::nullopt;
  return repeated(builder, builder.add(node.op->name, inputs, node.attributes), node.type.shape);
}

/// An op that moves elements, of one number repeated: that number repeated.
std::optional<NodeId> moved(RuleContext& context) {
  const Node& node = context.node;
  Builder& builder = context.builder;
  if (!node.op->traits.moves || !builder.node(node.inputs.at(0)).op->traits.stretches) return std::nullopt;
  const NodeId number = *before_repeating(builder, node.inputs[0]);
  if (!is_single(builder.type(number)) || builder.type(number).shape.size() > node.type.shape.size()) {
    return std::nullopt;
  }
  return repeated(builder, number, node.type.shape);
}

}  // namespace

Graph use_implicit_broadcasts(Graph graph, const OpRegistry& registry) {
  return apply_once(std::move(graph), registry,
                    std::array{Rule{"operand_without_repeats", Phase::exact, elementwise},
                               Rule{"number_moved", Phase::exact, moved}});
}

}  // namespace graphrun
