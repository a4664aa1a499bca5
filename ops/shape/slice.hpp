/// \file
/// What slice and its adjoint, pad_slice, share: a range along one axis.
#pragma once

#include <vector>

#include "ops/declaration.hpp"
#include "ops/shape/strided_copy.hpp"

namespace graphrun::ops {

/// axis, start, stop, step.
std::vector<AttributeDeclaration> slice_attributes();

/// Elements start, start + step, … `count` of them.
struct SliceRange {
  std::size_t axis = 0;
  std::int64_t start = 0;
  std::int64_t step = 1;
  Dim count;
};

/// The range in a tensor of this shape; throws an OpError when it does not fit.
SliceRange slice_range(const Attributes& attributes, const Shape& shape);

/// Where the elements of the slice lie in a tensor of these extents.
StridedView slice_view(const Attributes& attributes, const Extents& extents);

/// A shape of numbers.
Shape bound_shape(const Extents& extents);

/// Of the part as of the whole: a cut axis carries no rows.
std::vector<AxisMap> slice_axes(const AxesContext& context);

}  // namespace graphrun::ops
