#include "ops/image/pooling.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr bool image_a = false;
  static constexpr bool image_b = false;
  static constexpr bool image_y = true;
  static constexpr bool writes_all(const PoolGeometry& /*geometry*/) { return false; }

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* cotangent, const float* /*unused*/,
                                            const float* /*unused*/, float* y) noexcept {
    const auto count = static_cast<float>(high.count() * wide.count());
    for (std::int64_t h = high.begin; h < high.end; h += high.step) {
      for (std::int64_t w = wide.begin; w < wide.end; w += wide.step) {
        float* const pixel = y + (h * g.width + w) * g.channels;
#pragma GCC ivdep
        for (std::int64_t c = 0; c < g.channels; ++c) pixel[c] += cotangent[c] / count;
      }
    }
  }
};

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "g");
  const std::vector<std::int64_t>& size = context.attributes.integers("size");
  if (size.size() != 2 || size[0] < 1 || size[1] < 1) {
    throw OpError("size is a height and a width, at least 1", {}, "size");
  }
  const Shape& g = context.inputs[0].shape;
  const Shape x = {g[0], Dim::number(size[0]), Dim::number(size[1]), g[3]};
  require_cotangent(context.inputs[0], windows_over(x, context.attributes));
  return {DType::f32, x};
}

void reference(const ReferenceContext& context) {
  const std::vector<double>& g = context.inputs[0]->values;
  HostTensor& y = context.output;
  for_each_window(context.node, y.extents, [&](std::size_t window, auto pixels) {
    double count = 0;
    pixels([&](std::size_t /*pixel*/) { ++count; });
    pixels([&](std::size_t pixel) { y.values[pixel] += g[window] / count; });
  });
}

Gradients vjp(VjpContext& context) {
  const Attributes& all = context.node().attributes;
  Attributes attributes;
  for (const char* const name : {"kernel", "stride", "pad", "dilation"})
    attributes.set(name, *all.find(name));
  return {context.builder.add("avg_pool", {context.cotangent}, std::move(attributes))};
}

}  // namespace

Op avg_pool_gradient() {
  OpDef op;
  op.name = "avg_pool_gradient";
  op.doc = "The gradient of avg_pool: what came for a window is shared by its pixels.";
  op.formula = "y[p] = sum of g[window] / pixels in the window, over the windows with p";
  op.shapes = "[n, …, …, c] -> [n, h, w, c]";
  op.inputs = {{"g", "one number a window and channel"}};
  op.attributes = {extents("size", std::nullopt, "h and w")};
  op.infer = infer;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return pooling<Body>(std::move(op));
}

}  // namespace graphrun::ops
