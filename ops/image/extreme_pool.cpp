#include <fmt/format.h>

#include "ops/image/max_pool_bodies.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  Type pooled = infer_pooled({context.inputs.first(1), context.attributes});
  require_directions(context);
  return pooled;
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const HostTensor compared = turned_images(x, *context.inputs[1]);
  for_each_window(context.node, x.extents, [&](std::size_t window, auto pixels) {
    context.output.values[window] = x.values[largest_pixel(compared.values, pixels)];
  });
}

Gradients vjp(VjpContext& context) {
  return {
      context.builder.add("extreme_pool_gradient", {context.input(0), context.input(1), context.cotangent},
                          context.node().attributes),
      std::nullopt};
}

}  // namespace

std::vector<AxisMap> directed_axes(const AxesContext& context) {
  std::vector<AxisMap> axes = image_axes(context);
  axes[1] = {3};
  return axes;
}

void require_directions(const InferContext& context) {
  require_f32(context.inputs[1], "s");
  const Shape channels = {context.inputs[0].shape.back()};
  if (context.inputs[1].shape == channels) return;
  throw OpError(fmt::format("s must be one number a channel, {}, but is {}", to_string(channels),
                            to_string(context.inputs[1].shape)));
}

HostTensor turned_images(const HostTensor& x, const HostTensor& directions) {
  HostTensor turned = x;
  const std::size_t channels = directions.values.size();
  for (std::size_t i = 0; i < turned.values.size(); ++i)
    if (directions.values[i % channels] < 0) turned.values[i] = -turned.values[i];
  return turned;
}

Op extreme_pool() {
  OpDef op;
  op.name = "extreme_pool";
  op.doc =
      "The largest pixel of each window, in channels whose s is negative the smallest; otherwise as "
      "max_pool, "
      "of which a rule makes it.";
  op.formula = "y[window, c] = sign(s[c]) max over the window's pixels p of sign(s[c]) x[p, c]";
  op.shapes = "[n, h, w, c], [c] -> [n, (h + 2 pad - reach) // stride + 1, …, c]";
  op.inputs = {{"x", "images"}, {"s", "one number a channel; its sign counts, that of 0 is 1"}};
  op.infer = infer;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return pooling<MaxPoolBody<true>>(std::move(op));
}

}  // namespace graphrun::ops
