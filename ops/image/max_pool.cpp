#include "ops/image/pooling.hpp"
#include "ops/reduce/reduction.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr bool image_a = true;
  static constexpr bool image_b = true;
  static constexpr bool image_y = false;

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* /*unused*/, float* y) noexcept {
    for (std::int64_t c = 0; c < g.channels; ++c) y[c] = MaxFold::identity;
    for (std::int64_t h = high.begin; h < high.end; ++h) {
      for (std::int64_t w = wide.begin; w < wide.end; ++w) {
        const float* const pixel = x + (h * g.width + w) * g.channels;
#pragma GCC ivdep
        for (std::int64_t c = 0; c < g.channels; ++c) y[c] = MaxFold::combine(pixel[c], y[c]);
      }
    }
  }
};

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window(context.node, x.extents, [&](std::size_t window, auto pixels) {
    context.output.values[window] = x.values[largest_pixel(x.values, pixels)];
  });
}

Gradients vjp(VjpContext& context) {
  return {context.builder.add("max_pool_gradient", {context.input(0), context.cotangent},
                              context.node().attributes)};
}

}  // namespace

Op max_pool() {
  OpDef op;
  op.name = "max_pool";
  op.doc = "The largest pixel of each window; its gradient goes to the first of equals, and NaN wins.";
  op.formula = "y[h, w, c] = max over i, j of x[h stride - pad + i, w stride - pad + j, c]";
  op.shapes = "[n, h, w, c] -> [n, (h + 2 pad - kernel) // stride + 1, …, c]";
  op.inputs = {{"x", "images"}};
  op.infer = infer_pooled;
  op.reference = reference;
  op.gradient = vjp;
  return pooling<Body>(std::move(op));
}

}  // namespace graphrun::ops
