/// \file
/// Windows of 2 x 2 pixels, which most models have: all four pixels of a channel in registers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ops/image/pooling.hpp"
#include "ops/reduce/reduction.hpp"

namespace graphrun::ops {

[[gnu::always_inline]] inline bool is_two_by_two(PixelRange high, PixelRange wide) {
  const auto is_two = [](PixelRange range) { return range.step == 1 && range.end - range.begin == 2; };
  return is_two(high) && is_two(wide);
}

/// Where the four pixels lie in an image, in their order.
template <class Float>
[[gnu::always_inline]] inline std::array<Float*, 4> four_pixels(const PoolGeometry& g, PixelRange high,
                                                                PixelRange wide, Float* image) {
  Float* const first = image + (high.begin * g.width + wide.begin) * g.channels;
  Float* const below = first + g.width * g.channels;
  return {first, first + g.channels, below, below + g.channels};
}

/// NaN wins.
[[gnu::always_inline]] inline float largest_of_four(float a, float b, float c, float d) {
  return MaxFold::combine(d, MaxFold::combine(c, MaxFold::combine(b, a)));
}
[[gnu::always_inline]] inline bool is_largest(float value, float largest) {
  return (value == largest) | (value != value);
}

}  // namespace graphrun::ops
