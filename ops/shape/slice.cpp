#include "ops/shape/slice.hpp"

#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  Type type = context.inputs[0];
  const SliceRange range = slice_range(context.attributes, type.shape);
  type.shape[range.axis] = range.count;
  return type;
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  copy_strided(x, slice_view(context.node.attributes, x.extents), context.output);
}

Gradients vjp(VjpContext& context) {
  Attributes attributes = context.node().attributes;
  attributes.set("shape", context.builder.type(context.input(0)).shape);
  return {context.builder.add("pad_slice", {context.cotangent}, std::move(attributes))};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_strided_copy(bound.output, slice_view(bound.node.attributes, bound.inputs[0]),
                           bound.node.type.dtype);
}

}  // namespace

Op slice() {
  OpDef op;
  op.name = "slice";
  op.doc = "A range of elements along one axis.";
  op.formula = "y[i] = x[start + step i] along `axis`";
  op.shapes = "[..., n, ...] -> [..., count, ...]";
  op.inputs = {{"x", "any shape but a scalar; any type"}};
  op.attributes = slice_attributes();
  op.infer = infer;
  op.axes = slice_axes;
  op.reference = reference;
  op.gradient = vjp;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
