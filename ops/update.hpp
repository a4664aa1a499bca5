/// \file
/// What effects share that write variables: they report values that are not finite.
#pragma once

#include <bit>
#include <cstdint>

#include "runtime/kernel.hpp"

namespace graphrun::ops {

/// 1 for NaN and the infinities, else 0; by bits, so that it vectorises and no compiler option changes it.
[[gnu::always_inline]] inline std::uint32_t not_finite_bit(float x) {
  constexpr std::uint32_t exponent = 0x7F800000U;
  return static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(x) & exponent) == exponent);
}

inline void report_non_finite(const runtime::CallArguments& arguments) noexcept {
  if (arguments.non_finite != nullptr) arguments.non_finite->store(true, std::memory_order_relaxed);
}

}  // namespace graphrun::ops
