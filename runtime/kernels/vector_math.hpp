/// \file
/// exp, log, tanh and their kin for vector kernels: straight-line scalar code that the compiler vectorises,
/// within 4 ulp of the f64 value (where not said otherwise) over the whole range, denormal numbers,
/// infinities and NaN included. None needs denormal arithmetic inside, so that flush-to-zero changes only
/// arguments and results that are denormal. Reductions and coefficients are those of the Cephes library (S.
/// Moshier), whose error is about 1 ulp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace graphrun::runtime {

inline constexpr float vector_infinity = std::numeric_limits<float>::infinity();
inline constexpr float vector_nan = std::numeric_limits<float>::quiet_NaN();

[[gnu::always_inline]] inline float vector_abs(float x) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFU);
}

[[gnu::always_inline]] inline float vector_sqrt(float x) {
  return __builtin_sqrtf(x);
}

/// e^r - 1 for |r| <= ln2/2.
[[gnu::always_inline]] inline float vector_expm1_reduced(float r) {
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  return p * (r * r) + r;
}

/// e^x by the reduction of Cody and Waite: x = n ln2 + r with |r| <= ln2/2, then a polynomial in r.
[[gnu::always_inline]] inline float vector_exp(float x) {
  constexpr float shifter = 12582912.0F;  // 1.5 * 2^23: adding it leaves a rounded integer in the low bits
  const float clamped = x < -104.0F ? -104.0F : (x > 89.0F ? 89.0F : x);
  const float shifted = clamped * 1.44269504F + shifter;
  const float n = shifted - shifter;
  float r = clamped - n * 0.693359375F;
  r = r - n * -2.12194440e-4F;
  const float p = vector_expm1_reduced(r) + 1.0F;
  // 2^n as two factors: a result below the normal range comes out rounded once instead of zero.
  const auto whole = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) -
                                               std::bit_cast<std::uint32_t>(shifter));
  const std::int32_t half = whole >> 1;
  const float scale_a = std::bit_cast<float>((half + 127) << 23);
  const float scale_b = std::bit_cast<float>((whole - half + 127) << 23);
  const float result = p * scale_a * scale_b;
  return x != x ? x : result;
}

/// e^x - 1, exact near 0.
[[gnu::always_inline]] inline float vector_expm1(float x) {
  const bool small = vector_abs(x) < 0.34F;
  const float near_zero = vector_expm1_reduced(small ? x : 0.0F);
  return small ? near_zero : vector_exp(x) - 1.0F;
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

/// The smaller of a magnitude and a limit; a NaN stays one. By integers: the compiler turns a choice between
/// floats into comparisons with masks, which cost several times as much. And by std::min: of a choice written
/// out it makes two ways to the end of tanh, each with a division.
[[gnu::always_inline]] inline float vector_limit(float magnitude, float limit) {
  // Brings every NaN, and nothing else, below zero; taking it away again may wrap, hence unsigned.
  constexpr std::uint32_t above_infinity = 0x7FFFFF;
  const auto shifted = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(magnitude) + above_infinity);
  const auto bound = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(limit) + above_infinity);
  return std::bit_cast<float>(static_cast<std::uint32_t>(std::min(shifted, bound)) - above_infinity);
}

/// tanh(x) = 2u / (1 + u^2) with u = tanh(x / 2), which is n / d, the quotient of two polynomials in x^2 with
/// positive coefficients: fitted by weighted least squares (Lawson) to 7e-9 of the result up to 9.01, where
/// f32 cannot tell tanh from 1. The products are arranged so that near 0 each rounding falls on a small term;
/// 3.98 ulp at most, over every f32.
[[gnu::always_inline]] inline float vector_tanh(float x) {
  const float c = vector_limit(vector_abs(x), 9.01F);
  const float s = c * c;
  const float half = 0.5F * c;
  const float n = half * ((1.14134709e-4F * s + 2.97678952e-2F) * s) + half;
  const float d_minus_1 = ((1.22671133e-6F * s + 1.20594294e-3F) * s + 1.13101184e-1F) * s;
  const float numerator = (n + n) * d_minus_1 + (n + n);
  const float denominator = (d_minus_1 * (d_minus_1 + 2.0F) + n * n) + 1.0F;
  // At most 1. The bits of floats that are not negative are ordered as they are; both are NaN or neither is.
  const auto at_most_denominator = std::bit_cast<float>(
      std::min(std::bit_cast<std::int32_t>(numerator), std::bit_cast<std::int32_t>(denominator)));
  const float magnitude = at_most_denominator / denominator;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) |
                              (std::bit_cast<std::uint32_t>(x) & 0x80000000U));
}

/// e^-magnitude, as (2^n e^r)^2 with |r| <= ln2/2, so that 2^n is a normal number for every result. The
/// polynomial for e^r - 1 - r was fitted to 3e-9 of e^r (Lawson).
[[gnu::always_inline]] inline float vector_exp_negated(float magnitude) {
  constexpr float shifter = 12582912.0F + 127.0F;  // leaves n + 127, the exponent of 2^n, in the low bits
  const float x = -vector_limit(magnitude, 104.0F);
  const float shifted = x * 0.72134752F + shifter;
  const float n = shifted - shifter;
  const float r = (x * 0.5F - n * 0.693359375F) - n * -2.12194440e-4F;
  const float s = r * r;
  const float even = (1.38145278e-3F * s + 4.16683917e-2F) * s + 4.99999934e-1F;
  const float odd = 8.36875594e-3F * s + 1.66665203e-1F;
  const float root_minus_1 = (even + odd * r) * s + r;
  const float square = root_minus_1 * (root_minus_1 + 2.0F) + 1.0F;
  const float scale = std::bit_cast<float>(std::bit_cast<std::uint32_t>(shifted) << 23);
  return square * scale * scale;
}

/// 1 / (1 + e^-x), without overflow on either side.
[[gnu::always_inline]] inline float vector_sigmoid(float x) {
  const float e = vector_exp_negated(vector_abs(x));
  return (x < 0 ? e : 1.0F) / (1.0F + e);
}

/// ln(1 + e^x), without overflow.
[[gnu::always_inline]] inline float vector_softplus(float x) {
  const float e = vector_exp_negated(vector_abs(x));
  return (x < 0 ? 0.0F : x) + vector_log1p_unit(e);
}

/// e^(t^2 / 2) times the normal distribution's mass above t, for t in [0, 15]: a polynomial in 1 / (1 + 0.3
/// t), fitted by relative least squares to 3e-9.
[[gnu::always_inline]] inline float vector_scaled_tail(float t) {
  const float q = 1.0F / (1.0F + 0.3F * t);
  float p = -2.00521488e-2F;
  p = p * q + 1.09082068e-1F;
  p = p * q + -2.19585923e-1F;
  p = p * q + 1.78999235e-1F;
  p = p * q + -6.73634841e-2F;
  p = p * q + 8.86069847e-2F;
  p = p * q + 8.1559581e-2F;
  p = p * q + 1.0935576e-1F;
  p = p * q + 1.19725951e-1F;
  p = p * q + 1.19671311e-1F;
  return p * q + 6.62947363e-7F;
}

/// The normal distribution function, (1 + erf(x / sqrt(2))) / 2, within 8 ulp on the far left side too.
[[gnu::always_inline]] inline float vector_normal_cdf(float x) {
  const float magnitude = vector_abs(x);
  const float t = magnitude > 15.0F ? 15.0F : magnitude;
  // t^2 / 2 = h^2 / 2 + d with h of 12 bits, so that h^2 is exact: rounding t^2 would cost t^2 / 2 ulp.
  const float h = std::bit_cast<float>((std::bit_cast<std::uint32_t>(t) + 0x800U) & 0xFFFFF000U);
  const float d = 0.5F * (t - h) * (t + h);
  const float rest = 1.0F - d * (1.0F - d * (0.5F - d * (1.6666667e-1F - d * 4.1666668e-2F)));
  const float tail = vector_exp(-0.5F * (h * h)) * (rest * vector_scaled_tail(t));
  return x < 0 ? tail : 1.0F - tail;
}

/// Error function: an odd polynomial near 0 (fitted to 1e-8), 1 - erfc elsewhere.
[[gnu::always_inline]] inline float vector_erf(float x) {
  const float magnitude = vector_abs(x);
  const float s = magnitude < 0.9F ? x * x : 0.0F;
  float p = -6.09038779e-4F;
  p = p * s + 5.01196855e-3F;
  p = p * s + -2.67789131e-2F;
  p = p * s + 1.12821409e-1F;
  p = p * s + -3.76125233e-1F;
  p = p * s + 1.28379154e-1F;
  const float small = x + x * p;
  const float t = magnitude > 5.0F ? 5.0F : magnitude;
  const float large = 1.0F - 2.0F * vector_exp(-t * t) * vector_scaled_tail(1.41421356F * t);
  const float signed_large = x < 0 ? -large : large;
  return magnitude < 0.9F ? small : signed_large;
}

/// log2 of a positive number that is normal in f64, to 1e-12: 2 atanh((m - 1) / (m + 1)) / ln2 + exponent.
[[gnu::always_inline]] inline double vector_log2_wide(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  // An integer below 2^52 as a double, by writing it into the mantissa of 2^52.
  const double biased = std::bit_cast<double>((bits >> 52) | 0x4330000000000000U) - 4503599627370496.0;
  const double one_to_two = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFU) | 0x3FF0000000000000U);
  const bool upper = one_to_two > 1.4142135623730951;
  const double m = upper ? 0.5 * one_to_two : one_to_two;
  const double exponent = biased - (upper ? 1022.0 : 1023.0);
  const double u = (m - 1.0) / (m + 1.0);
  const double s = u * u;
  double p = 1.0 / 15;
  p = p * s + 1.0 / 13;
  p = p * s + 1.0 / 11;
  p = p * s + 1.0 / 9;
  p = p * s + 1.0 / 7;
  p = p * s + 1.0 / 5;
  p = p * s + 1.0 / 3;
  p = p * s + 1.0;
  return p * u * 2.8853900817779268 + exponent;
}

/// 2^t for t in [-1000, 1000], to 1e-11.
[[gnu::always_inline]] inline double vector_exp2_wide(double t) {
  constexpr double shifter = 6755399441055744.0;  // 1.5 * 2^52
  const double shifted = t + shifter;
  const double r = (t - (shifted - shifter)) * 0.6931471805599453;
  double p = 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p * std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023U) << 52);
}

/// x^y as std::pow has it, special values included; through f64, because the exponent magnifies errors.
[[gnu::always_inline]] inline float vector_pow(float x, float y) {
  const float base = vector_abs(x);
  const float exponent = vector_abs(y);
  const double product = static_cast<double>(y) * vector_log2_wide(static_cast<double>(base));
  const double bounded = product < -160.0 ? -160.0 : (product > 160.0 ? 160.0 : product);
  const auto finite = static_cast<float>(vector_exp2_wide(bounded));
  // Beyond 2^24 every float is even.
  const double counted = static_cast<double>(exponent < 16777216.0F ? exponent : 0.0F);
  const double shifted = counted + 4503599627370496.0;  // 2^52: rounds to an integer in the low bits
  const auto fraction = static_cast<float>(counted - (shifted - 4503599627370496.0));
  const auto low_bits = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted));
  const std::uint32_t odd = fraction == 0 ? low_bits << 31 : 0U;
  const float at_infinity = y < 0 ? 0.0F : vector_infinity;
  const float at_zero = y < 0 ? vector_infinity : 0.0F;
  const float ended = base == vector_infinity ? at_infinity : (base == 0 ? at_zero : finite);
  const float with_sign =
      std::bit_cast<float>(std::bit_cast<std::uint32_t>(ended) ^ (odd & std::bit_cast<std::uint32_t>(x)));
  // A finite negative base has no power that is not whole.
  const float lowest = fraction == 0 ? -vector_infinity : (x == -vector_infinity ? x : 0.0F);
  const float signed_result = x < lowest ? vector_nan : with_sign;
  const float defined = x != x ? x : (y != y ? y : signed_result);
  const float of_minus_one = exponent == vector_infinity ? 1.0F : defined;
  const float of_one = x == 1.0F ? 1.0F : (x == -1.0F ? of_minus_one : defined);
  return y == 0 ? 1.0F : of_one;
}

}  // namespace graphrun::runtime
