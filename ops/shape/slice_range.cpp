#include <fmt/format.h>

#include "ops/shape/slice.hpp"

namespace graphrun::ops {

std::vector<AttributeDeclaration> slice_attributes() {
  return {
      axis(-1, "the axis to cut"),
      integer("start", 0, finite(), "the first element; negative counts from the end"),
      integer("stop", 0, finite(), "the first element not taken; negative counts from the end, 0 is the end"),
      integer("step", 1, at_least(1), "1 takes all, 2 every other one, and so on")};
}

SliceRange slice_range(const Attributes& attributes, const Shape& shape) {
  const std::size_t axis = resolved_axis(attributes.integer("axis"), shape);
  const Dim extent = shape[axis];
  const std::int64_t start = attributes.integer("start");
  const std::int64_t stop = attributes.integer("stop");
  const std::int64_t step = attributes.integer("step");
  if (start == 0 && stop == 0 && step == 1) return {axis, 0, 1, extent};
  if (!extent.is_number()) {
    throw OpError(
        fmt::format("axis {} of {} is as long as the batch, and cannot be cut", axis, to_string(shape)),
        "Cut another axis: a model works for every batch size.", "axis");
  }
  const std::int64_t first = start < 0 ? start + extent.offset : start;
  const std::int64_t last = stop <= 0 ? stop + extent.offset : stop;
  if (first < 0 || last > extent.offset || first >= last) {
    throw OpError(fmt::format("start {} and stop {} take nothing of axis {}, which is {} long, or leave it",
                              start, stop, axis, extent.offset),
                  "Elements count from 0, and stop is not taken; stop: 0 is the end.", "start");
  }
  return {axis, first, step, Dim::number((last - first - 1) / step + 1)};
}

std::vector<AxisMap> slice_axes(const AxesContext& context) {
  const Shape& part = context.inputs[0].shape;
  const Shape& whole = context.output.shape;
  std::vector<AxisMap> maps = same_axes(context);
  const std::size_t axis = resolved_axis(context.attributes.integer("axis"), whole);
  if (part[axis] != whole[axis]) maps[0][axis] = contracted;
  return maps;
}

StridedView slice_view(const Attributes& attributes, const Extents& extents) {
  const SliceRange range = slice_range(attributes, bound_shape(extents));
  StridedView view{dense_strides(extents), 0};
  view.offset = range.start * view.strides[range.axis];
  view.strides[range.axis] *= range.step;
  return view;
}

Shape bound_shape(const Extents& extents) {
  Shape shape;
  for (const std::int64_t extent : extents) shape.push_back(Dim::number(extent));
  return shape;
}

}  // namespace graphrun::ops
