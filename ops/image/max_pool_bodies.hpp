/// \file
/// Loops of max_pool and its gradients, and of the same that look for the smallest pixel in some channels:
/// `directed` ones, by the sign of a number a channel.
#pragma once

#include "ops/image/pooling.hpp"
#include "ops/image/small_window.hpp"

namespace graphrun::ops {

/// What a pixel of channel `c` is compared by: itself, or its negative where the channel's direction is one.
template <bool directed>
[[gnu::always_inline]] inline float turned(float pixel, const float* direction, std::int64_t c) {
  if constexpr (directed) return direction[c] < 0 ? -pixel : pixel;
  return pixel;
}

// ---- Windows of 2 x 2 that cover images of whole vectors of channels: the most frequent ones ----

/// So many channels are worked on at once: a loop of this length becomes vectors without a rest.
inline constexpr std::int64_t fixed_channels = 16;

/// Calls body(place of the first pixel, place of the window, channel) for so many channels of each window.
template <class Function>
[[gnu::always_inline]] inline void for_each_four(const PoolGeometry& g, std::int64_t images,
                                                 std::int64_t channels_at_once, Function body) {
  const std::int64_t below = g.width * g.channels;
  std::int64_t window = 0;
  for (std::int64_t row = 0; row < images * g.rows; ++row) {
    for (std::int64_t column = 0; column < g.columns; ++column) {
      const std::int64_t first = 2 * row * below + 2 * column * g.channels;
      for (std::int64_t i = 0; i < g.channels; i += channels_at_once, window += channels_at_once) {
        body(first + i, window, i);
      }
    }
  }
}

[[gnu::always_inline]] inline bool are_fours_of_vectors(const PoolGeometry& g) {
  return g.are_fours() && g.channels % fixed_channels == 0;
}

template <class Float>
[[gnu::always_inline]] inline std::array<Float*, 4> four_from(const PoolGeometry& g, Float* first) {
  return four_pixels(g, {0, 2, 1}, {0, 2, 1}, first);
}

/// Asks for pixels a page before they are used: images have mostly waited in a cache far away, for moments of
/// the whole batch or since the forward pass, and what a core brings by itself ends with each page.
[[gnu::always_inline]] inline void bring_four(const std::array<const float*, 4>& x, std::int64_t channels) {
  constexpr std::int64_t page = 4096 / sizeof(float);
  constexpr std::int64_t line = 64 / sizeof(float);
  for (const float* const pixel : x)
    for (std::int64_t i = 0; i < channels; i += line) __builtin_prefetch(pixel + page + i);
}

/// What each of a window's pixels gets of what came for it: all of it or 0.
using FourShares = std::array<float, 4>;

template <bool directed>
[[gnu::always_inline]] inline FourShares shares_of_four(const std::array<const float*, 4>& x,
                                                        const float* direction, std::int64_t i, float slope) {
  const float a = turned<directed>(x[0][i], direction, i);
  const float b = turned<directed>(x[1][i], direction, i);
  const float c = turned<directed>(x[2][i], direction, i);
  const float largest = largest_of_four(a, b, c, turned<directed>(x[3][i], direction, i));
  const bool first = is_largest(a, largest);
  const bool second = is_largest(b, largest) & !first;
  const bool third = is_largest(c, largest) & !(first | second);
  return {first ? slope : 0.0F, second ? slope : 0.0F, third ? slope : 0.0F,
          (first | second | third) ? 0.0F : slope};
}

// ---- All windows ----

/// The number of a window's first largest pixel, for `count` channels.
template <bool directed>
[[gnu::always_inline]] inline void find_largest(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                                const float* x, const float* direction, std::int64_t count,
                                                std::int32_t* at) {
  float best[most_channels];
  for (std::int64_t c = 0; c < count; ++c) best[c] = -std::numeric_limits<float>::infinity();
  for (std::int64_t c = 0; c < count; ++c) at[c] = 0;
  std::int32_t number = 0;
  for (std::int64_t h = high.begin; h < high.end; h += high.step) {
    for (std::int64_t w = wide.begin; w < wide.end; w += wide.step, ++number) {
      const float* const pixel = x + (h * g.width + w) * g.channels;
#pragma GCC ivdep
      for (std::int64_t c = 0; c < count; ++c) {
        const float value = turned<directed>(pixel[c], direction, c);
        const bool better = (value > best[c]) | ((value != value) & (best[c] == best[c]));
        best[c] = better ? value : best[c];
        at[c] = better ? number : at[c];
      }
    }
  }
}

/// Calls body(place in the image, channel, whether it is the channel's first largest) for each pixel of a
/// window and each channel.
template <bool directed, class Function>
[[gnu::always_inline]] inline void for_each_pixel(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                                  const float* x, const float* direction, Function body) {
  std::int32_t at[most_channels];
  for (std::int64_t first = 0; first < g.channels; first += most_channels) {
    const std::int64_t count = std::min(most_channels, g.channels - first);
    find_largest<directed>(g, high, wide, x + first, directed ? direction + first : nullptr, count, at);
    std::int32_t number = 0;
    for (std::int64_t h = high.begin; h < high.end; h += high.step) {
      for (std::int64_t w = wide.begin; w < wide.end; w += wide.step, ++number) {
        const std::int64_t pixel = (h * g.width + w) * g.channels + first;
#pragma GCC ivdep
        for (std::int64_t c = 0; c < count; ++c) body(pixel + c, first + c, at[c] == number);
      }
    }
  }
}

template <bool by_channel>
struct MaxPoolBody {
  static constexpr bool directed = by_channel;
  static constexpr bool image_a = true;
  static constexpr bool image_b = true;
  static constexpr bool image_y = false;

  [[gnu::always_inline]] static bool run_at_once(const PoolArguments& arguments) noexcept {
    const PoolGeometry& g = *arguments.geometry;
    if (!are_fours_of_vectors(g)) return false;
    for_each_four(
        g, arguments.images, fixed_channels,
        [&](std::int64_t first, std::int64_t window, std::int64_t channel) __attribute__((always_inline)) {
          of_four(fixed_channels, four_from(g, arguments.a + first), arguments.direction + channel,
                  arguments.y + window);
        });
    return true;
  }

  [[gnu::always_inline]] static void of_four(std::int64_t channels, const std::array<const float*, 4>& x,
                                             const float* direction, float* y) noexcept {
    bring_four(x, channels);
    const auto [a, b, c, d] = x;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < channels; ++i) {
      const float largest =
          largest_of_four(turned<directed>(a[i], direction, i), turned<directed>(b[i], direction, i),
                          turned<directed>(c[i], direction, i), turned<directed>(d[i], direction, i));
      y[i] = turned<directed>(largest, direction, i);
    }
  }

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* /*unused*/, const float* direction,
                                            float* y) noexcept {
    if (is_two_by_two(high, wide)) return of_four(g.channels, four_pixels(g, high, wide, x), direction, y);
    for (std::int64_t c = 0; c < g.channels; ++c) y[c] = MaxFold::identity;
    for (std::int64_t h = high.begin; h < high.end; h += high.step) {
      for (std::int64_t w = wide.begin; w < wide.end; w += wide.step) {
        const float* const pixel = x + (h * g.width + w) * g.channels;
#pragma GCC ivdep
        for (std::int64_t c = 0; c < g.channels; ++c)
          y[c] = MaxFold::combine(turned<directed>(pixel[c], direction, c), y[c]);
      }
    }
    if (!directed) return;
#pragma GCC ivdep
    for (std::int64_t c = 0; c < g.channels; ++c) y[c] = turned<directed>(y[c], direction, c);
  }
};

template <bool by_channel>
struct MaxPoolGradientBody {
  static constexpr bool directed = by_channel;
  static constexpr bool image_a = true;
  static constexpr bool image_b = false;
  static constexpr bool image_y = true;
  static bool writes_all(const PoolGeometry& g) { return g.are_fours(); }

  [[gnu::always_inline]] static bool run_at_once(const PoolArguments& arguments) noexcept {
    const PoolGeometry& g = *arguments.geometry;
    if (!are_fours_of_vectors(g)) return false;
    for_each_four(
        g, arguments.images, fixed_channels,
        [&](std::int64_t first, std::int64_t window, std::int64_t channel) __attribute__((always_inline)) {
          of_four<true>(fixed_channels, four_from(g, arguments.a + first), arguments.b + window,
                        arguments.direction + channel, four_from(g, arguments.y + first));
        });
    return true;
  }

  template <bool write>
  [[gnu::always_inline]] static void of_four(std::int64_t channels, const std::array<const float*, 4>& x,
                                             const float* slope, const float* direction,
                                             const std::array<float*, 4>& y) noexcept {
    bring_four(x, channels);
    const auto [y_a, y_b, y_c, y_d] = y;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < channels; ++i) {
      const FourShares share = shares_of_four<directed>(x, direction, i, slope[i]);
      y_a[i] = share[0] + (write ? 0.0F : y_a[i]);
      y_b[i] = share[1] + (write ? 0.0F : y_b[i]);
      y_c[i] = share[2] + (write ? 0.0F : y_c[i]);
      y_d[i] = share[3] + (write ? 0.0F : y_d[i]);
    }
  }

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* cotangent, const float* direction,
                                            float* y) noexcept {
    if (is_two_by_two(high, wide)) {
      const auto from = four_pixels(g, high, wide, x);
      const auto to = four_pixels(g, high, wide, y);
      if (g.are_fours()) return of_four<true>(g.channels, from, cotangent, direction, to);
      return of_four<false>(g.channels, from, cotangent, direction, to);
    }
    for_each_pixel<directed>(
        g, high, wide, x,
        direction, [=](std::int64_t pixel, std::int64_t channel, bool taken) __attribute__((always_inline)) {
          const float all = cotangent[channel];
          y[pixel] += taken ? all : 0.0F;
        });
  }
};

template <bool by_channel>
struct MaxPoolPickBody {
  static constexpr bool directed = by_channel;
  static constexpr bool image_a = true;
  static constexpr bool image_b = true;
  static constexpr bool image_y = false;

  [[gnu::always_inline]] static void window(const PoolGeometry& g, PixelRange high, PixelRange wide,
                                            const float* x, const float* v, const float* direction,
                                            float* y) noexcept {
    for_each_pixel<directed>(
        g, high, wide, x,
        direction, [=](std::int64_t pixel, std::int64_t channel, bool taken) __attribute__((always_inline)) {
          y[channel] = taken ? v[pixel] : y[channel];
        });
  }
};

// ---- Of directed ones ----

/// Throws an OpError unless s is one number a channel of the images x, the first two inputs.
void require_directions(const InferContext& context);

/// For references: the images x as they are compared, by the directions.
HostTensor turned_images(const HostTensor& x, const HostTensor& directions);

// ---- Of what takes pixels and what gives to them, each the other's gradient ----

/// The gradient of the last input alone, by `adjoint`: which pixels are taken does not change as the other
/// inputs move a little.
Gradients gradient_by(std::string_view adjoint, VjpContext& context);

}  // namespace graphrun::ops
