
#include "ops/op.hpp"
#include "ops/reduce/along_axis.hpp"

namespace graphrun::ops {
namespace {

/// The first of the largest; a NaN is larger than all.
template <class Get>
[[gnu::always_inline]] inline std::int32_t first_largest(std::size_t length, Get get) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < length; ++i) {
    const auto current = get(best);
    const auto candidate = get(i);
    const bool better = candidate > current || (candidate != candidate && current == current);
    best = better ? i : best;
  }
  return static_cast<std::int32_t>(best);
}

struct Body {
  using Output = std::int32_t;
  [[gnu::always_inline]] static void vector(const float* x, std::int32_t* y, std::size_t length,
                                            std::size_t stride) noexcept {
    *y = first_largest(
        length, [ x, stride ](std::size_t i) __attribute__((always_inline)) { return x[i * stride]; });
  }
};

Type infer(const InferContext& context) {
  const std::size_t axis = checked_axis(context);
  Shape shape = context.inputs[0].shape;
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return {DType::i32, shape};
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const AxisLayout layout(context.node.attributes, x.extents);
  for_each_vector(layout, [&](std::size_t vector, auto index) {
    context.output.values[vector] =
        first_largest(layout.length, [&](std::size_t k) { return x.values[index(k)]; });
  });
}

}  // namespace

Op argmax() {
  OpDef op;
  op.name = "argmax";
  op.doc = "Where the largest element along an axis is; the first of equals.";
  op.formula = "y = argmax of x over `axis`";
  op.shapes = "[...] -> i32 [... without the axis]";
  op.inputs = {{"x", "any shape but a scalar"}};
  op.attributes = {axis_attribute("the axis to look along")};
  op.infer = infer;
  op.axes = axes_but_one;
  op.reference = reference;
  op.gradient = ZeroGradient{};
  return {std::move(op), {.make = make_along_axis<Body, true>}};
}

}  // namespace graphrun::ops
