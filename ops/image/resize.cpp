#include "ops/image/upsampling.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  const Shape& x = context.inputs[0].shape;
  const auto [height, width] = resized_sides(context.attributes);
  return {DType::f32, {x[0], Dim::number(height), Dim::number(width), x[3]}};
}

Gradients vjp(VjpContext& context) {
  const Shape& x = context.builder.type(context.input(0)).shape;
  Attributes attributes = context.node().attributes;
  attributes.set("size", std::vector{x[1].offset, x[2].offset});
  return {context.builder.add("resize_gradient", {context.cotangent}, std::move(attributes))};
}

}  // namespace

Op resize() {
  OpDef op;
  op.name = "resize";
  op.doc = "Images of another height and width.";
  op.formula = "y[h, w, c] = x at the place of h and w, of the nearest pixel or between its neighbours";
  op.shapes = "[n, h, w, c] -> [n, size, c]";
  op.inputs = {{"x", "images"}};
  op.infer = infer;
  op.gradient = vjp;
  return resizing(std::move(op), Direction::enlarge);
}

}  // namespace graphrun::ops
