#include "ops/image/pooling.hpp"
#include "ops/op.hpp"
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

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  return {DType::f32, pooled_shape(context.inputs[0].shape, pooling_window(context.attributes))};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {{0, contracted, contracted, 3}};
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window({x.extents, pooling_window(context.node.attributes)}, x.extents[0],
                  [&](std::size_t window, auto pixels) {
                    context.output.values[window] = x.values[largest_pixel(x.values, pixels)];
                  });
}

Gradients vjp(VjpContext& context) {
  return {context.builder.add("max_pool_gradient", {context.input(0), context.cotangent},
                              context.node().attributes)};
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  return {count, 4 * (count + static_cast<double>(element_count(context.output)))};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_pooling<Body>(bound, bound.inputs[0], pooling_window(bound.node.attributes));
}

}  // namespace

Op max_pool() {
  OpDef op;
  op.name = "max_pool";
  op.doc = "The largest pixel of each window; its gradient goes to the first of equals, and NaN wins.";
  op.formula = "y[h, w, c] = max over i, j of x[h stride - pad + i, w stride - pad + j, c]";
  op.shapes = "[n, h, w, c] -> [n, (h + 2 pad - kernel) // stride + 1, …, c]";
  op.inputs = {{"x", "images"}};
  op.attributes = pooling_attributes();
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  runtime::KernelDef kernel;
  kernel.make = make;
  return {std::move(op), std::move(kernel)};
}

}  // namespace graphrun::ops
