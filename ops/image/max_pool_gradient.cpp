#include "ops/image/pooling.hpp"
#include "ops/image/small_window.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr bool image_a = true;
  static constexpr bool image_b = false;
  static constexpr bool image_y = true;
  static bool writes_all(const PoolGeometry& g) { return g.are_fours(); }

  template <bool write>
  [[gnu::always_inline]] static void of_four(std::int64_t channels, const std::array<const float*, 4>& x,
                                             const float* slope, const std::array<float*, 4>& y) noexcept {
    const auto [a, b, c, d] = x;
    const auto [y_a, y_b, y_c, y_d] = y;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < channels; ++i) {
      const float largest = largest_of_four(a[i], b[i], c[i], d[i]);
      const bool first = is_largest(a[i], largest);
      const bool second = is_largest(b[i], largest) & !first;
      const bool third = is_largest(c[i], largest) & !(first | second);
      y_a[i] = (first ? slope[i] : 0.0F) + (write ? 0.0F : y_a[i]);
      y_b[i] = (second ? slope[i] : 0.0F) + (write ? 0.0F : y_b[i]);
      y_c[i] = (third ? slope[i] : 0.0F) + (write ? 0.0F : y_c[i]);
      y_d[i] = ((first | second | third) ? 0.0F : slope[i]) + (write ? 0.0F : y_d[i]);
    }
  }

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* cotangent, float* y) noexcept {
    if (is_two_by_two(high, wide)) {
      const auto from = four_pixels(g, high, wide, x);
      const auto to = four_pixels(g, high, wide, y);
      if (g.are_fours()) return of_four<true>(g.channels, from, cotangent, to);
      return of_four<false>(g.channels, from, cotangent, to);
    }
    std::int32_t at[most_channels];
    for (std::int64_t first = 0; first < g.channels; first += most_channels) {
      const std::int64_t count = std::min(most_channels, g.channels - first);
      find_largest(g, high, wide, x + first, count, at);
      std::int32_t number = 0;
      for (std::int64_t h = high.begin; h < high.end; h += high.step) {
        for (std::int64_t w = wide.begin; w < wide.end; w += wide.step, ++number) {
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
  require_cotangent(context.inputs[1], windows_over(context.inputs[0].shape, context.attributes));
  return context.inputs[0];
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window(context.node, x.extents, [&](std::size_t window, auto pixels) {
    context.output.values[largest_pixel(x.values, pixels)] += context.inputs[1]->values[window];
  });
}

/// Which pixel is the largest does not change as x moves a little.
Gradients vjp(VjpContext& context) {
  return {std::nullopt, context.builder.add("max_pool_pick", {context.input(0), context.cotangent},
                                            context.node().attributes)};
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
  return pooling<Body>(std::move(op));
}

}  // namespace graphrun::ops
