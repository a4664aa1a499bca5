#include "ops/image/upsampling.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  const Shape& x = context.inputs[0].shape;
  const std::int64_t factor = upsampling_factor(context.attributes);
  return {DType::f32,
          {x[0], Dim::number(upsampled_side(x[1].offset, factor)),
           Dim::number(upsampled_side(x[2].offset, factor)), x[3]}};
}

Gradients vjp(VjpContext& context) {
  return {context.builder.add("upsample_gradient", {context.cotangent}, context.node().attributes)};
}

}  // namespace

Op upsample() {
  OpDef op;
  op.name = "upsample";
  op.doc = "Images enlarged by a whole factor.";
  op.formula = "y[h, w, c] = x[h // factor, w // factor, c], or between its neighbours";
  op.shapes = "[n, h, w, c] -> [n, h factor, w factor, c]";
  op.inputs = {{"x", "images"}};
  op.infer = infer;
  op.gradient = vjp;
  return upsampling(std::move(op), Direction::enlarge);
}

}  // namespace graphrun::ops
