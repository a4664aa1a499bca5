#include <fmt/format.h>

#include "ops/image/pooling.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr bool image_a = true;
  static constexpr bool image_b = true;
  static constexpr bool image_y = false;

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* v, float* y) noexcept {
    std::int32_t at[most_channels];
    for (std::int64_t first = 0; first < g.channels; first += most_channels) {
      const std::int64_t count = std::min(most_channels, g.channels - first);
      find_largest(g, high, wide, x + first, count, at);
      std::int32_t number = 0;
      for (std::int64_t h = high.begin; h < high.end; h += high.step) {
        for (std::int64_t w = wide.begin; w < wide.end; w += wide.step, ++number) {
          const float* const pixel = v + (h * g.width + w) * g.channels + first;
          float* const picked = y + first;
#pragma GCC ivdep
          for (std::int64_t c = 0; c < count; ++c) picked[c] = at[c] == number ? pixel[c] : picked[c];
        }
      }
    }
  }
};

Type infer(const InferContext& context) {
  const Type pooled = infer_pooled(context);
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

/// Which pixel is the largest does not change as x moves a little.
Gradients vjp(VjpContext& context) {
  return {std::nullopt, context.builder.add("max_pool_gradient", {context.input(0), context.cotangent},
                                            context.node().attributes)};
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
  return pooling<Body>(std::move(op));
}

}  // namespace graphrun::ops
