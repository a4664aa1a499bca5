#include <fmt/format.h>

#include "ops/image/max_pool_bodies.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  Type pooled = infer_pooled(context);
  if (context.inputs[1] != context.inputs[0]) {
    throw OpError(fmt::format("both inputs must be alike: x is {}, v is {}", to_string(context.inputs[0]),
                              to_string(context.inputs[1])));
  }
  return pooled;
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window(context.node, x.extents, [&](std::size_t window, auto pixels) {
    context.output.values[window] = context.inputs[1]->values[largest_pixel(x.values, pixels)];
  });
}

Gradients vjp(VjpContext& context) {
  return gradient_by("max_pool_gradient", context);
}

}  // namespace

Op max_pool_pick() {
  OpDef op;
  op.name = "max_pool_pick";
  op.doc =
      "What one tensor holds where the first largest pixels of another are: the adjoint of "
      "max_pool_gradient.";
  op.formula = "y[window] = v[p], where p is the first largest pixel of x in the window";
  op.shapes = "[n, h, w, c], [n, h, w, c] -> [n, …, …, c]";
  op.inputs = {{"x", "images"}, {"v", "as large"}};
  op.infer = infer;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return pooling<MaxPoolPickBody<false>>(std::move(op));
}

}  // namespace graphrun::ops
