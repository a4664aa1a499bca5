#include "ops/image/pooling.hpp"
#include "ops/image/small_window.hpp"
#include "ops/reduce/reduction.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr bool image_a = true;
  static constexpr bool image_b = true;
  static constexpr bool image_y = false;

  [[gnu::always_inline]] static void of_four(std::int64_t channels, const std::array<const float*, 4>& x,
                                             float* y) noexcept {
    const auto [a, b, c, d] = x;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < channels; ++i) {
      y[i] = largest_of_four(a[i], b[i], c[i], d[i]);
    }
  }

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* /*unused*/, float* y) noexcept {
    if (is_two_by_two(high, wide)) return of_four(g.channels, four_pixels(g, high, wide, x), y);
    for (std::int64_t c = 0; c < g.channels; ++c) y[c] = MaxFold::identity;
    for (std::int64_t h = high.begin; h < high.end; h += high.step) {
      for (std::int64_t w = wide.begin; w < wide.end; w += wide.step) {
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

bool never_falls(const Node& function) {
  const std::string& name = function.op->name;
  if (name == "leaky_relu") return function.attributes.number("slope") >= 0;
  return name == "relu" || name == "sigmoid" || name == "softplus" || name == "tanh";
}

/// The largest of what a function that never falls makes is what it makes of the largest: so it sees one
/// pixel of a window, and its gradient too.
std::optional<NodeId> function_of_largest(RuleContext& context) {
  Builder& builder = context.builder;
  const Node function = builder.node(context.node.inputs[0]);
  if (!never_falls(function)) return std::nullopt;
  const NodeId largest = builder.add("max_pool", {function.inputs[0]}, context.node.attributes);
  return builder.add(function.op->name, {largest}, function.attributes,
                     {context.node.name, context.node.origin, {}});
}

}  // namespace

Op max_pool() {
  OpDef op;
  op.name = "max_pool";
  op.doc = "The largest pixel of each window; its gradient goes to the first of equals, and NaN wins.";
  op.formula = "y[h, w, c] = max over i, j of x[h stride - pad + i dilation, w stride - pad + j dilation, c]";
  op.shapes = "[n, h, w, c] -> [n, (h + 2 pad - reach) // stride + 1, …, c]";
  op.inputs = {{"x", "images"}};
  op.infer = infer_pooled;
  op.reference = reference;
  op.gradient = vjp;
  op.rules = {
      {"function_of_largest", Phase::real, function_of_largest, {"kernel", "stride", "pad", "dilation"}}};
  return pooling<Body>(std::move(op));
}

}  // namespace graphrun::ops
