#include <algorithm>
#include <bit>
#include <limits>

#include "ops/op.hpp"
#include "ops/reduce/along_axis.hpp"

namespace graphrun::ops {
namespace {

/// A NaN is larger than all.
template <class Float>
[[gnu::always_inline]] inline bool is_better(Float candidate, Float current) {
  return (candidate > current) | ((candidate != candidate) & (current == current));
}

/// The first of the largest.
template <class Get>
[[gnu::always_inline]] inline std::int32_t first_largest(std::size_t length, Get get) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < length; ++i) best = is_better(get(i), get(best)) ? i : best;
  return static_cast<std::int32_t>(best);
}

/// Whole numbers in the order of floats, a NaN the largest and both zeros one: the largest of them is found
/// without branches, and in vectors.
[[gnu::always_inline]] inline std::int32_t rank_of(float x) {
  constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
  const auto bits = std::bit_cast<std::int32_t>(x + 0.0F);
  const std::int32_t rank = bits ^ ((bits >> 31) & most);
  return x != x ? most : rank;
}

constexpr std::size_t lanes = 16;

/// Of what each lane found, and where.
[[gnu::always_inline]] inline std::int32_t first_of_lanes(const float* best, const std::int32_t* at) {
  std::int32_t ranks[lanes];
  for (std::size_t lane = 0; lane < lanes; ++lane) ranks[lane] = rank_of(best[lane]);
  std::int32_t largest = ranks[0];
  for (std::size_t lane = 0; lane < lanes; ++lane) largest = std::max(largest, ranks[lane]);
  constexpr std::int32_t nowhere = std::numeric_limits<std::int32_t>::max();
  std::int32_t first = nowhere;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const std::int32_t there = ranks[lane] == largest ? at[lane] : nowhere;
    first = std::min(first, there);
  }
  return first;
}

/// The same of elements side by side, at least a vector of them: the first of each lane, then the first of
/// these.
[[gnu::always_inline]] inline std::int32_t first_largest_by_lanes(const float* x, std::size_t length) {
  float best[lanes];
  std::int32_t at[lanes];
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    best[lane] = x[lane];
    at[lane] = static_cast<std::int32_t>(lane);
  }
  std::size_t i = lanes;
  for (; i + lanes <= length; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const bool better = is_better(x[i + lane], best[lane]);
      best[lane] = better ? x[i + lane] : best[lane];
      at[lane] = better ? static_cast<std::int32_t>(i + lane) : at[lane];
    }
  }
  for (std::size_t lane = 0; i < length; ++i, ++lane) {
    const bool better = is_better(x[i], best[lane]);
    best[lane] = better ? x[i] : best[lane];
    at[lane] = better ? static_cast<std::int32_t>(i) : at[lane];
  }
  return first_of_lanes(best, at);
}

struct Body {
  using Output = std::int32_t;
  [[gnu::always_inline]] static void vector(const float* x, std::int32_t* y, std::size_t length,
                                            std::size_t stride) noexcept {
    if (stride == 1 && length >= lanes) {
      *y = first_largest_by_lanes(x, length);
      return;
    }
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
