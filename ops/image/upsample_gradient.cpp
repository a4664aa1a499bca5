#include <fmt/format.h>

#include "ops/image/upsampling.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "g");
  const Shape& g = context.inputs[0].shape;
  const std::int64_t factor = upsampling_factor(context.attributes);
  if (g[1].offset % factor != 0 || g[2].offset % factor != 0) {
    throw OpError(fmt::format("height and width of g, {}, are no multiples of {}", to_string(g), factor));
  }
  return {DType::f32, {g[0], Dim::number(g[1].offset / factor), Dim::number(g[2].offset / factor), g[3]}};
}

Gradients vjp(VjpContext& context) {
  return {context.builder.add("upsample", {context.cotangent}, context.node().attributes)};
}

}  // namespace

Op upsample_gradient() {
  OpDef op;
  op.name = "upsample_gradient";
  op.doc = "The gradient of upsample: its adjoint.";
  op.formula = "y[p] = sum of g[q] times the weight of p in q";
  op.shapes = "[n, h factor, w factor, c] -> [n, h, w, c]";
  op.inputs = {{"g", "of the enlarged images"}};
  op.infer = infer;
  op.gradient = vjp;
  op.internal = true;
  return upsampling(std::move(op), Direction::gradient);
}

}  // namespace graphrun::ops
