#include "ops/image/max_pool_bodies.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  require_cotangent(context.inputs[1], windows_over(context.inputs[0].shape, context.attributes));
  return context.inputs[0];
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window(context.node, x.extents, [&](std::size_t window, auto pixels) {
    context.output.values[largest_pixel(x.values, pixels)] += context.inputs[1]->values[window];
  });
}

Gradients vjp(VjpContext& context) {
  return gradient_by("max_pool_pick", context);
}

}  // namespace

Op max_pool_gradient() {
  OpDef op;
  op.name = "max_pool_gradient";
  op.doc = "The gradient of max_pool: what came for a window goes to its first largest pixel.";
  op.formula = "y[p] = sum of g[window] over the windows whose first largest pixel is p";
  op.shapes = "[n, h, w, c], [n, …, …, c] -> [n, h, w, c]";
  op.inputs = {{"x", "images"}, {"g", "one number a window and channel"}};
  op.infer = infer;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return pooling<MaxPoolGradientBody<false>>(std::move(op));
}

}  // namespace graphrun::ops
