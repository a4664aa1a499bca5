/// \file
/// What reductions share: the attributes `axis` and `keepdims`, types, axes, and the fold over a vector.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "graph/op.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {

AttributeDeclaration axes_attribute(std::string doc);
AttributeDeclaration keepdims_attribute();

/// The axes from 0, ascending; throws an OpError for one out of range or named twice.
std::vector<std::size_t> reduced_axes(const Axes& axes, const Shape& shape);
std::vector<std::size_t> reduced_axes(const Axes& axes, std::size_t rank);

/// A reduction but for its words, meaning, gradient and kernel. f32 to f32: the axes of `axis` go, or stay as
/// 1 with `keepdims`.
OpDef reduction(std::string name, std::string axes_doc);

/// The shape with every reduced axis as 1: what a result broadcasts back from.
Shape kept_shape(const Shape& shape, const Axes& axes);

/// A reduction's result or cotangent as `keepdims` would have given it.
NodeId with_kept_dims(Builder& builder, NodeId reduced, const Node& reduction);

/// For each element of the input, the element of the output it goes to.
std::vector<std::size_t> reduction_targets(const Extents& input, const Axes& axes);

struct SumFold {
  static constexpr float identity = 0;
  static constexpr std::size_t lanes = 16;
  [[gnu::always_inline]] static float combine(float a, float b) { return a + b; }
};
struct MaxFold {  // NaN wins
  static constexpr float identity = -std::numeric_limits<float>::infinity();
  static constexpr std::size_t lanes = 64;  // fewer are unrolled before they are vectorised, and stay scalar
  [[gnu::always_inline]] static float combine(float a, float b) { return ((a > b) | (a != a)) ? a : b; }
};

/// get(0), get(1), … in one number: lanes side by side, then the lanes in a tree; a few elements one after
/// the other. The order depends on the count alone.
template <class Fold, class Get>
[[gnu::always_inline]] inline float fold_of(std::size_t count, Get get) {
  constexpr std::size_t lanes = Fold::lanes;
  if (count < lanes) {
    float result = Fold::identity;
    for (std::size_t i = 0; i < count; ++i) result = Fold::combine(result, get(i));
    return result;
  }
  std::array<float, lanes> partial{};
  for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] = get(lane);
  std::size_t i = lanes;
  for (; i + lanes <= count; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      partial[lane] = Fold::combine(partial[lane], get(i + lane));
    }
  }
  for (std::size_t lane = 0; i + lane < count; ++lane) {
    partial[lane] = Fold::combine(partial[lane], get(i + lane));
  }
  for (std::size_t half = lanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) {
      partial[lane] = Fold::combine(partial[lane], partial[lane + half]);
    }
  }
  return partial[0];
}

/// x[0], x[stride], … in one number.
template <class Fold>
[[gnu::always_inline]] inline float fold(const float* x, std::size_t count, std::size_t stride = 1) {
  return fold_of<Fold>(
      count, [ x, stride ](std::size_t i) __attribute__((always_inline)) { return x[i * stride]; });
}

/// The kernel of a reduction by any axes, whole or over rows.
std::unique_ptr<runtime::Call> make_sum(const runtime::BoundNode& bound);
std::unique_ptr<runtime::Call> make_max(const runtime::BoundNode& bound);

}  // namespace graphrun::ops
