/// \file
/// exp, log, tanh and their kin for vector kernels: straight-line scalar code that the compiler vectorises,
/// within 4 ulp of the f64 value over the whole range, denormal numbers, infinities and NaN included. None
/// needs denormal arithmetic inside, so that flush-to-zero changes only arguments and results that are
/// denormal. Reductions and coefficients are those of the Cephes library (S. Moshier), whose error is about 1
/// ulp.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace graphrun::runtime {

inline constexpr float vector_infinity = std::numeric_limits<float>::infinity();
inline constexpr float vector_nan = std::numeric_limits<float>::quiet_NaN();

[[gnu::always_inline]] inline float vector_abs(float x) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFU);
}

/// e^x by the reduction of Cody and Waite: x = n ln2 + r with |r| <= ln2/2, then a polynomial in r.
[[gnu::always_inline]] inline float vector_exp(float x) {
  constexpr float shifter = 12582912.0F;  // 1.5 * 2^23: adding it leaves a rounded integer in the low bits
  const float clamped = x < -104.0F ? -104.0F : (x > 89.0F ? 89.0F : x);
  const float shifted = clamped * 1.44269504F + shifter;
  const float n = shifted - shifter;
  float r = clamped - n * 0.693359375F;
  r = r - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  // 2^n as two factors: a result below the normal range comes out rounded once instead of zero.
  const auto whole = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) -
                                               std::bit_cast<std::uint32_t>(shifter));
  const std::int32_t half = whole >> 1;
  const float scale_a = std::bit_cast<float>((half + 127) << 23);
  const float scale_b = std::bit_cast<float>((whole - half + 127) << 23);
  const float result = p * scale_a * scale_b;
  return x != x ? x : result;
}

/// ln(1 + f) + n ln2 for 1 + f in [sqrt(1/2), sqrt(2)] and a small integer n.
[[gnu::always_inline]] inline float vector_log_reduced(float f, float n) {
  const float s = f * f;
  float p = 7.0376836292e-2F;
  p = p * f + -1.1514610310e-1F;
  p = p * f + 1.1676998740e-1F;
  p = p * f + -1.2420140846e-1F;
  p = p * f + 1.4249322787e-1F;
  p = p * f + -1.6668057665e-1F;
  p = p * f + 2.0000714765e-1F;
  p = p * f + -2.4999993993e-1F;
  p = p * f + 3.3333331174e-1F;
  const float rest = f * s * p + n * -2.12194440e-4F - 0.5F * s;
  return f + rest + n * 0.693359375F;
}

/// Natural logarithm. A denormal number is brought into the normal range through its bits.
[[gnu::always_inline]] inline float vector_log(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  const bool denormal = bits < 0x00800000;  // and the negative ones, which end as NaN
  const auto scaled = std::bit_cast<std::int32_t>(static_cast<float>(bits & 0x007FFFFF));  // x * 2^149
  const std::int32_t usable = denormal ? scaled : bits;
  // The exponent so that the mantissa is in [sqrt(1/2), sqrt(2)).
  const std::int32_t exponent = (usable - 0x3F3504F3) >> 23;
  const float mantissa = std::bit_cast<float>(usable - (exponent << 23));
  const auto n = static_cast<float>(denormal ? exponent - 149 : exponent);
  const float finite = vector_log_reduced(mantissa - 1.0F, n);
  const float not_infinite = bits == 0x7F800000 ? x : finite;
  const float positive = (bits & 0x7FFFFFFF) == 0 ? -vector_infinity : not_infinite;
  const bool negative = bits < 0 && (bits & 0x7FFFFFFF) != 0;
  const bool invalid = negative || bits > 0x7F800000;
  return invalid ? vector_nan : positive;
}

/// ln(1 + e) for e in [0, 1].
[[gnu::always_inline]] inline float vector_log1p_unit(float e) {
  const bool upper = e > 0.41421356F;  // 1 + e > sqrt(2): halve it
  return vector_log_reduced(upper ? 0.5F * (e - 1.0F) : e, upper ? 1.0F : 0.0F);
}

[[gnu::always_inline]] inline float vector_tanh(float x) {
  const float magnitude = vector_abs(x);
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

/// 1 / (1 + e^-x), without overflow on either side.
[[gnu::always_inline]] inline float vector_sigmoid(float x) {
  const float e = vector_exp(-vector_abs(x));
  return (x < 0 ? e : 1.0F) / (1.0F + e);
}

/// ln(1 + e^x), without overflow.
[[gnu::always_inline]] inline float vector_softplus(float x) {
  const float e = vector_exp(-vector_abs(x));
  return (x < 0 ? 0.0F : x) + vector_log1p_unit(e);
}

}  // namespace graphrun::runtime
