/// \file
/// What gather_elements and its adjoint share: for each element of an index, a place along an axis of a
/// tensor that is as large along all others.
#pragma once

#include <cstddef>

#include "ops/index/indices.hpp"

namespace graphrun::ops {

/// A tensor cut at an axis: [outer, along, inner].
struct CutAtAxis {
  CutAtAxis(const Extents& extents, std::size_t axis);
  std::size_t along;
  std::size_t inner;
};

/// Throws an OpError unless the index has the sizes of x, but along the axis.
void require_same_but_axis(const Shape& x, const Shape& index, std::size_t axis);

/// The axes of an operand: all in place, but the one that is mixed.
AxisMap all_but_axis(std::size_t rank, std::size_t axis);

/// Calls visit(i, place) for the first `count` elements of an index, in order: `place` is where in the tensor
/// of `height` along the axis it points to, or `nowhere` when the index is out of range.
inline constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
template <class Read, class Visit>
void for_each_place(const CutAtAxis& index, std::size_t height, std::size_t count, Read read, Visit visit) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t at = read(i);
    const std::size_t outer = i / (index.along * index.inner);
    const bool there = in_range(at, height);
    const std::size_t place = (outer * height + static_cast<std::size_t>(at)) * index.inner + i % index.inner;
    visit(i, there ? place : nowhere);
  }
}

}  // namespace graphrun::ops
