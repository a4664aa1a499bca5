#include "ops/image/pooling.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr bool image_a = true;
  static constexpr bool image_b = true;
  static constexpr bool image_y = false;

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* /*unused*/, const float* /*unused*/,
                                            float* y) noexcept {
    for (std::int64_t c = 0; c < g.channels; ++c) y[c] = 0;
    for (std::int64_t h = high.begin; h < high.end; h += high.step) {
      for (std::int64_t w = wide.begin; w < wide.end; w += wide.step) {
        const float* const pixel = x + (h * g.width + w) * g.channels;
#pragma GCC ivdep
        for (std::int64_t c = 0; c < g.channels; ++c) y[c] += pixel[c];
      }
    }
    const auto count = static_cast<float>(high.count() * wide.count());
    for (std::int64_t c = 0; c < g.channels; ++c) y[c] /= count;
  }
};

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window(context.node, x.extents, [&](std::size_t window, auto pixels) {
    double total = 0;
    double count = 0;
    pixels([&](std::size_t pixel) {
      total += x.values[pixel];
      ++count;
    });
    context.output.values[window] = total / count;
  });
}

Gradients vjp(VjpContext& context) {
  const Shape& x = context.builder.type(context.input(0)).shape;
  Attributes attributes = context.node().attributes;
  attributes.set("size", std::vector{x[1].offset, x[2].offset});
  return {context.builder.add("avg_pool_gradient", {context.cotangent}, std::move(attributes))};
}

}  // namespace

Op avg_pool() {
  OpDef op;
  op.name = "avg_pool";
  op.doc = "The average of the pixels of each window; the margin that `pad` adds does not count.";
  op.formula =
      "y[h, w, c] = mean over i, j of x[h stride - pad + i dilation, w stride - pad + j dilation, c]";
  op.shapes = "[n, h, w, c] -> [n, (h + 2 pad - reach) // stride + 1, …, c]";
  op.inputs = {{"x", "images"}};
  op.infer = infer_pooled;
  op.reference = reference;
  op.gradient = vjp;
  return pooling<Body>(std::move(op));
}

}  // namespace graphrun::ops
