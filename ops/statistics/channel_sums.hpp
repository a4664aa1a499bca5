/// \file
/// Sums over the pixels of images (all axes between the first and the last), channel by channel, sixteen
/// channels side by side. The order of the additions depends on the number of pixels alone.
#pragma once

#include <algorithm>
#include <cstddef>

#include "graph/type.hpp"
#include "ops/isa_dispatch.hpp"
#include "ops/op.hpp"

// All that takes or gives vectors is inlined: no call has an ABI that could differ.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace graphrun::ops {

/// [n, ..., c] as rows of pixels of channels.
struct ChannelLayout {
  explicit ChannelLayout(const Extents& x)
      : rows(static_cast<std::size_t>(x.front())), channels(static_cast<std::size_t>(x.back())) {
    for (std::size_t axis = 1; axis + 1 < x.size(); ++axis) pixels *= static_cast<std::size_t>(x[axis]);
  }
  std::size_t rows;
  std::size_t pixels = 1;  ///< of a row
  std::size_t channels;
  std::size_t row() const { return pixels * channels; }
};

inline constexpr std::size_t channel_lanes = 16;
using Channels [[gnu::vector_size(channel_lanes * sizeof(float))]] = float;

/// Up to sixteen neighbouring channels of a pixel; those that are not there are 0.
[[gnu::always_inline]] inline Channels load_channels(const float* x, std::size_t count) {
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Channels;
  if (count == channel_lanes) return *reinterpret_cast<const Unaligned*>(x);
  Channels channels{};
  for (std::size_t c = 0; c < count; ++c) channels[c] = x[c];
  return channels;
}
[[gnu::always_inline]] inline void store_channels(const Channels& channels, float* y, std::size_t count) {
  for (std::size_t c = 0; c < count; ++c) y[c] = channels[c];
}

/// Where the vector with channel `next` begins: the last one begins early and sees some channels again,
/// unless there are too few to fill it.
[[gnu::always_inline]] inline std::size_t vector_with(std::size_t next, std::size_t channels) {
  return channels < channel_lanes ? 0 : std::min(next, channels - channel_lanes);
}

/// Adds pixel(0), pixel(1), …, each a `Channels`: four sums side by side, which do not wait for each other.
template <class Pixel>
[[gnu::always_inline]] inline Channels sum_of_pixels(std::size_t count, Pixel pixel) {
  Channels a{};
  Channels b{};
  Channels c{};
  Channels d{};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    a += pixel(i);
    b += pixel(i + 1);
    c += pixel(i + 2);
    d += pixel(i + 3);
  }
  for (; i < count; ++i) a += pixel(i);
  return (a + b) + (c + d);
}

}  // namespace graphrun::ops
