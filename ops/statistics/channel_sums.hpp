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

/// Two vectors that are worked on alike. (A vector that is wider than a register goes through memory.)
template <class Half>
struct Pair {
  Half low;
  Half high;

  [[gnu::always_inline]] friend Pair operator+(Pair a, Pair b) { return {a.low + b.low, a.high + b.high}; }
  [[gnu::always_inline]] friend Pair operator-(Pair a, Pair b) { return {a.low - b.low, a.high - b.high}; }
  [[gnu::always_inline]] friend Pair operator*(Pair a, Pair b) { return {a.low * b.low, a.high * b.high}; }
  [[gnu::always_inline]] friend Pair operator*(Pair a, float b) { return {a.low * b, a.high * b}; }
  [[gnu::always_inline]] friend Pair operator/(Pair a, float b) { return {a.low / b, a.high / b}; }
  [[gnu::always_inline]] Pair& operator+=(Pair b) { return *this = *this + b; }
};

template <std::size_t lanes>
struct ChannelsType;
template <>
struct ChannelsType<16> {
  using Type [[gnu::vector_size(64)]] = float;
};
template <>
struct ChannelsType<8> {
  using Vector [[gnu::vector_size(32)]] = float;
  using Type = Pair<Vector>;
};
template <>
struct ChannelsType<4> {
  using Vector [[gnu::vector_size(16)]] = float;
  using Type = Pair<Pair<Vector>>;
};

/// Sixteen neighbouring channels, for vectors of so many lanes.
template <std::size_t lanes>
using Channels = typename ChannelsType<lanes>::Type;

template <class Vector>
[[gnu::always_inline]] inline void load_lanes(const float* x, Vector& lanes) {
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  lanes = *reinterpret_cast<const Unaligned*>(x);
}
template <class Half>
[[gnu::always_inline]] inline void load_lanes(const float* x, Pair<Half>& lanes) {
  load_lanes(x, lanes.low);
  load_lanes(x + sizeof(Half) / sizeof(float), lanes.high);
}

template <class Vector>
[[gnu::always_inline]] inline void store_lanes(const Vector& lanes, float* y) {
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  *reinterpret_cast<Unaligned*>(y) = lanes;
}
template <class Half>
[[gnu::always_inline]] inline void store_lanes(const Pair<Half>& lanes, float* y) {
  store_lanes(lanes.low, y);
  store_lanes(lanes.high, y + sizeof(Half) / sizeof(float));
}

/// Up to sixteen neighbouring channels of a pixel; those that are not there are 0.
template <std::size_t lanes>
[[gnu::always_inline]] inline Channels<lanes> load_channels(const float* x, std::size_t count) {
  Channels<lanes> channels;
  if (count == channel_lanes) {
    load_lanes(x, channels);
    return channels;
  }
  float some[channel_lanes] = {};
  for (std::size_t c = 0; c < count; ++c) some[c] = x[c];
  load_lanes(some, channels);
  return channels;
}
template <class Lanes>
[[gnu::always_inline]] inline void store_channels(const Lanes& channels, float* y, std::size_t count) {
  if (count == channel_lanes) return store_lanes(channels, y);
  float all[channel_lanes];
  store_lanes(channels, all);
  for (std::size_t c = 0; c < count; ++c) y[c] = all[c];
}

/// Where the vector with channel `next` begins: the last one begins early and sees some channels again,
/// unless there are too few to fill it.
[[gnu::always_inline]] inline std::size_t vector_with(std::size_t next, std::size_t channels) {
  return channels < channel_lanes ? 0 : std::min(next, channels - channel_lanes);
}

/// Adds pixel(0), pixel(1), …, all `Channels`: four sums side by side, which do not wait for each other.
template <class Pixel>
[[gnu::always_inline]] inline auto sum_of_pixels(std::size_t count, Pixel pixel) {
  using Sum = decltype(pixel(count));
  Sum a{};
  Sum b{};
  Sum c{};
  Sum d{};
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
