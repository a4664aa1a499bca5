#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/shape/strided_copy.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  const Shape& shape = checked_shape(context.attributes);
  if (broadcast(x.shape, shape) != shape) {
    throw OpError(fmt::format("{} does not broadcast to {}", to_string(x.shape), to_string(shape)),
                  "Axes align at the right; each of the input must be equal or 1.", "shape");
  }
  return {x.dtype, shape};
}

StridedView view(const Extents& input, const Extents& output) {
  const std::vector<std::int64_t> dense = dense_strides(input);
  const std::size_t shift = output.size() - input.size();
  StridedView result{std::vector<std::int64_t>(output.size(), 0), 0};
  for (std::size_t axis = 0; axis < input.size(); ++axis) {
    if (input[axis] == output[axis + shift]) result.strides[axis + shift] = dense[axis];
  }
  return result;
}

void reference(const ReferenceContext& context) {
  copy_strided(*context.inputs[0], view(context.inputs[0]->extents, context.output.extents), context.output);
}

Gradients vjp(VjpContext& context) {
  return {context.cotangent};  // the pass sums it down
}

/// Broadcasts in a row are one, and one to the same shape is none.
std::optional<NodeId> broadcast_once(RuleContext& context) {
  NodeId x = context.node.inputs[0];
  if (context.builder.node(x).op == context.node.op) x = context.builder.node(x).inputs[0];
  if (context.builder.type(x) == context.node.type) return x;
  if (x == context.node.inputs[0]) return std::nullopt;
  return context.builder.add("broadcast_to", {x}, {{"shape", context.node.type.shape}});
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_strided_copy(bound.output, view(bound.inputs[0], bound.output), bound.node.type.dtype);
}

}  // namespace

Op broadcast_to() {
  OpDef op;
  op.name = "broadcast_to";
  op.doc = "The input repeated to a larger shape.";
  op.formula = "y[..., i, ...] = x[..., i or 0, ...]";
  op.shapes = "[...] -> shape";
  op.inputs = {{"x", "a shape that broadcasts to `shape`; any type"}};
  op.attributes = {shape_attribute({}, "the shape of the result")};
  op.infer = infer;
  op.axes = elementwise_axes;
  op.reference = reference;
  op.gradient = vjp;
  op.rules = {{"broadcast_of_broadcast", Phase::exact, broadcast_once, {"shape"}, true}};
  op.traits.stretches = true;
  op.traits.moves = true;
  return {std::move(op), {.stretch = true, .make = make}};
}

}  // namespace graphrun::ops
