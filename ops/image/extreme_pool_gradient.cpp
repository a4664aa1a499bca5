#include "ops/image/max_pool_bodies.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  require_directions(context);
  require_cotangent(context.inputs[2], windows_over(context.inputs[0].shape, context.attributes));
  return context.inputs[0];
}

void reference(const ReferenceContext& context) {
  const HostTensor compared = turned_images(*context.inputs[0], *context.inputs[1]);
  for_each_window(context.node, compared.extents, [&](std::size_t window, auto pixels) {
    context.output.values[largest_pixel(compared.values, pixels)] += context.inputs[2]->values[window];
  });
}

Gradients vjp(VjpContext& context) {
  return gradient_by("extreme_pool_pick", context);
}

}  // namespace

Op extreme_pool_gradient() {
  OpDef op;
  op.name = "extreme_pool_gradient";
  op.doc = "The gradient of extreme_pool: what came for a window goes to the first pixel that it took.";
  op.formula = "y[p] = sum of g[window] over the windows that took p";
  op.shapes = "[n, h, w, c], [c], [n, …, …, c] -> [n, h, w, c]";
  op.inputs = {{"x", "images"}, {"s", "one number a channel"}, {"g", "one number a window and channel"}};
  op.infer = infer;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return pooling<MaxPoolGradientBody<true>>(std::move(op));
}

}  // namespace graphrun::ops
