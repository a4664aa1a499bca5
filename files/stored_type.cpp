#include "files/stored_type.hpp"

#include <algorithm>
#include <cmath>

namespace graphrun::files {

void swap_bytes(StoredType type, std::span<std::uint8_t> bytes) {
  const std::size_t size = size_of(type);
  for (std::size_t at = 0; size > 1 && at + size <= bytes.size(); at += size)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
}

float from_f16(std::uint16_t bits) {
  constexpr std::uint32_t exponent_bias = 127 - 15;
  const std::uint32_t sign = std::uint32_t{bits} >> 15 << 31;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zero and subnormal numbers: the fraction counts units of 2^-24
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t widened = exponent == 0x1F ? 0xFF : exponent + exponent_bias;
  return std::bit_cast<float>(sign | (widened << 23) | (fraction << 13));
}

std::vector<float> as_f32(StoredType type, std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / size_of(type));
  for_each_element(type, bytes,
                   [&](std::size_t index, auto number) { values[index] = static_cast<float>(number); });
  return values;
}

}  // namespace graphrun::files
