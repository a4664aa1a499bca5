#include <fmt/format.h>

#include "ops/image/pooling.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr bool image_a = true;
  static constexpr bool image_b = false;
  static constexpr bool image_y = true;

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* cotangent, float* y) noexcept {
    std::int32_t at[most_channels];
    for (std::int64_t first = 0; first < g.channels; first += most_channels) {
      const std::int64_t count = std::min(most_channels, g.channels - first);
      find_largest(g, high, wide, x + first, count, at);
      std::int32_t number = 0;
      for (std::int64_t h = high.begin; h < high.end; ++h) {
        for (std::int64_t w = wide.begin; w < wide.end; ++w, ++number) {
          float* const pixel = y + (h * g.width + w) * g.channels + first;
          const float* const slope = cotangent + first;
#pragma GCC ivdep
          for (std::int64_t c = 0; c < count; ++c) pixel[c] += at[c] == number ? slope[c] : 0.0F;
        }
      }
    }
  }
};

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  require_f32(context.inputs[1], "g");
  const Shape expected = pooled_shape(context.inputs[0].shape, pooling_window(context.attributes));
  if (context.inputs[1].shape != expected) {
    throw OpError(
        fmt::format("g must be {}, but is {}", to_string(expected), to_string(context.inputs[1].shape)));
  }
  return context.inputs[0];
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {{0, contracted, contracted, 3}, {0, contracted, contracted, 3}};
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window({x.extents, pooling_window(context.node.attributes)}, x.extents[0],
                  [&](std::size_t window, auto pixels) {
                    context.output.values[largest_pixel(x.values, pixels)] +=
                        context.inputs[1]->values[window];
                  });
}

/// Which pixel is the largest does not change as x moves a little.
Gradients vjp(VjpContext& context) {
  return {std::nullopt, context.builder.add("max_pool_pick", {context.input(0), context.cotangent},
                                            context.node().attributes)};
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  return {2 * count, 4 * (2 * count + static_cast<double>(element_count(context.inputs[1])))};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_pooling<Body>(bound, bound.inputs[0], pooling_window(bound.node.attributes));
}

}  // namespace

Op max_pool_gradient() {
  OpDef op;
  op.name = "max_pool_gradient";
  op.doc = "The gradient of max_pool: what came for a window goes to its first largest pixel.";
  op.formula = "y[p] = sum of g[window] over the windows whose first largest pixel is p";
  op.shapes = "[n, h, w, c], [n, …, …, c] -> [n, h, w, c]";
  op.inputs = {{"x", "images"}, {"g", "one number a window and channel"}};
  op.attributes = pooling_attributes();
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  op.internal = true;
  runtime::KernelDef kernel;
  kernel.make = make;
  return {std::move(op), std::move(kernel)};
}

}  // namespace graphrun::ops
