/// \file
/// Sines and cosines for vector kernels, as vector_math.hpp has its functions: straight-line scalar code that
/// the compiler vectorises, the same bits on every instruction set.
#pragma once

#include <bit>
#include <cstdint>

namespace graphrun::runtime {

/// Sine of x and so many quarters of a turn, through f64: x = n pi/2 + r with |r| <= pi/4, then Taylor's
/// series in r, to 1e-11. n times the first part of pi/2 is exact up to 2^28; of larger angles f32 cannot
/// tell one turn from the next, and the result is any number that is a sine.
[[gnu::always_inline]] inline float vector_sine(float x, std::uint32_t quarters) {
  constexpr double shifter = 6755399441055744.0;  // 1.5 * 2^52
  const auto wide = static_cast<double>(x);
  const double shifted = wide * 0.6366197723675814 + shifter;
  const double n = shifted - shifter;
  const double rest = (wide - n * 1.5707963109016418) - n * 1.5893254773528196e-8;
  const double r = rest < -0.8 ? -0.8 : (rest > 0.8 ? 0.8 : rest);
  const double s = r * r;
  double odd = -1.0 / 39916800;
  odd = odd * s + 1.0 / 362880;
  odd = odd * s - 1.0 / 5040;
  odd = odd * s + 1.0 / 120;
  odd = odd * s - 1.0 / 6;
  odd = r * (odd * s + 1.0);
  double even = 1.0 / 479001600;
  even = even * s - 1.0 / 3628800;
  even = even * s + 1.0 / 40320;
  even = even * s - 1.0 / 720;
  even = even * s + 1.0 / 24;
  even = even * s - 0.5;
  even = even * s + 1.0;
  const auto quadrant = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted)) + quarters;
  const auto magnitude = static_cast<float>((quadrant & 1U) == 0 ? odd : even);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) ^ ((quadrant & 2U) << 30));
}
[[gnu::always_inline]] inline float vector_sin(float x) {
  return vector_sine(x, 0);
}
[[gnu::always_inline]] inline float vector_cos(float x) {
  return vector_sine(x, 1);
}

}  // namespace graphrun::runtime
