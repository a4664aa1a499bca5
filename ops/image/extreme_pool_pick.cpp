#include <fmt/format.h>

#include "ops/image/max_pool_bodies.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  Type pooled = infer_pooled({context.inputs.first(1), context.attributes});
  require_directions(context);
  if (context.inputs[2] != context.inputs[0]) {
    throw OpError(fmt::format("x and v must be alike: x is {}, v is {}", to_string(context.inputs[0]),
                              to_string(context.inputs[2])));
  }
  return pooled;
}

void reference(const ReferenceContext& context) {
  const HostTensor compared = turned_images(*context.inputs[0], *context.inputs[1]);
  for_each_window(context.node, compared.extents, [&](std::size_t window, auto pixels) {
    context.output.values[window] = context.inputs[2]->values[largest_pixel(compared.values, pixels)];
  });
}

Gradients vjp(VjpContext& context) {
  return gradient_by("extreme_pool_gradient", context);
}

}  // namespace

Op extreme_pool_pick() {
  OpDef op;
  op.name = "extreme_pool_pick";
  op.doc = "What one tensor holds where extreme_pool of another takes pixels: the adjoint of its gradient.";
  op.formula = "y[window] = v[p], where p is the pixel of x that the window takes";
  op.shapes = "[n, h, w, c], [c], [n, h, w, c] -> [n, …, …, c]";
  op.inputs = {{"x", "images"}, {"s", "one number a channel"}, {"v", "as large as x"}};
  op.infer = infer;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return pooling<MaxPoolPickBody<true>>(std::move(op));
}

}  // namespace graphrun::ops
