/// \file
/// Arrays of weights with their axes, or the elements along one, in another order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/type.hpp"

namespace graphrun::layers {

/// The extents of an image; its elements run over height, width, channels.
struct ImageExtents {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  friend auto operator<=>(const ImageExtents&, const ImageExtents&) = default;
};

/// For each index in the order channels, height, width the index in that of the image.
std::vector<std::int64_t> channels_first_order(const ImageExtents& image);
/// The other way round.
std::vector<std::int64_t> inverse_of(const std::vector<std::int64_t>& order);

/// Axis i of the result is axis axes[i] of the array.
std::vector<float> transposed(const std::vector<float>& values, const Extents& extents,
                              const std::vector<std::size_t>& axes);
Extents transposed(const Extents& extents, const std::vector<std::size_t>& axes);

/// Element i along the axis is element order[i] of the array.
std::vector<float> reordered(const std::vector<float>& values, const Extents& extents, std::size_t axis,
                             const std::vector<std::int64_t>& order);

}  // namespace graphrun::layers
