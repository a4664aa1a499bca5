#include <fmt/format.h>

#include "ops/op.hpp"
#include "ops/shape/slice.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Shape& shape = context.attributes.shape("shape");
  const SliceRange range = slice_range(context.attributes, shape);
  Shape part = shape;
  part[range.axis] = range.count;
  if (context.inputs[0].shape != part) {
    throw OpError(fmt::format("the part is {}, but the range takes {}", to_string(context.inputs[0].shape),
                              to_string(part)));
  }
  return {context.inputs[0].dtype, shape};
}

void reference(const ReferenceContext& context) {
  const HostTensor& part = *context.inputs[0];
  place_strided(part, slice_view(context.node.attributes, context.output.extents), context.output);
}

Gradients vjp(VjpContext& context) {
  const Attributes& all = context.node().attributes;
  Attributes attributes;
  for (const char* const name : {"axis", "start", "stop", "step"}) attributes.set(name, *all.find(name));
  return {context.builder.add("slice", {context.cotangent}, std::move(attributes))};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const bool by_rows = slice_range(bound.node.attributes, bound_shape(bound.output)).axis != 0;
  return make_strided_place(bound.inputs[0], bound.output, slice_view(bound.node.attributes, bound.output),
                            by_rows, bound.node.type.dtype);
}

}  // namespace

Op pad_slice() {
  OpDef op;
  op.name = "pad_slice";
  op.doc = "A slice put back where it came from, among zeros: the adjoint of slice.";
  op.formula = "y[start + step i] = x[i] along `axis`, else 0";
  op.shapes = "[..., count, ...] -> shape";
  op.inputs = {{"x", "what slice gives of a tensor of `shape`"}};
  op.attributes = slice_attributes();
  op.attributes.push_back(shape_attribute({}, "the shape of the whole"));
  op.infer = infer;
  op.axes = slice_axes;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
