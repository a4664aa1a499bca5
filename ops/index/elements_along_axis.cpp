#include "ops/index/elements_along_axis.hpp"

#include <fmt/format.h>

namespace graphrun::ops {

CutAtAxis::CutAtAxis(const Extents& extents, std::size_t axis)
    : along(static_cast<std::size_t>(extents[axis])), inner(1) {
  for (std::size_t i = axis + 1; i < extents.size(); ++i) inner *= static_cast<std::size_t>(extents[i]);
}

void require_same_but_axis(const Shape& x, const Shape& index, std::size_t axis) {
  bool fits = x.size() == index.size();
  for (std::size_t i = 0; fits && i < x.size(); ++i) fits = i == axis || x[i] == index[i];
  if (fits) return;
  throw OpError(fmt::format("the index must have the sizes of x but along axis {}: x is {}, index is {}",
                            axis, to_string(x), to_string(index)),
                "broadcast_to makes an index as large.", "index");
}

AxisMap all_but_axis(std::size_t rank, std::size_t axis) {
  AxisMap map(rank);
  for (std::size_t i = 0; i < rank; ++i) map[i] = i == axis ? contracted : static_cast<std::int64_t>(i);
  return map;
}

}  // namespace graphrun::ops
