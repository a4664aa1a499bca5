#include "ops/image/upsampling.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "g");
  const Shape& g = context.inputs[0].shape;
  const auto [height, width] = resized_sides(context.attributes);
  return {DType::f32, {g[0], Dim::number(height), Dim::number(width), g[3]}};
}

Gradients vjp(VjpContext& context) {
  const Shape& g = context.builder.type(context.input(0)).shape;
  Attributes attributes = context.node().attributes;
  attributes.set("size", std::vector{g[1].offset, g[2].offset});
  return {context.builder.add("resize", {context.cotangent}, std::move(attributes))};
}

}  // namespace

Op resize_gradient() {
  OpDef op;
  op.name = "resize_gradient";
  op.doc = "The gradient of resize: its adjoint.";
  op.formula = "y[p] = sum of g[q] times the weight of p in q";
  op.shapes = "[n, …, …, c] -> [n, size, c]";
  op.inputs = {{"g", "of the resized images"}};
  op.infer = infer;
  op.gradient = vjp;
  op.internal = true;
  return resizing(std::move(op), Direction::gradient);
}

}  // namespace graphrun::ops
