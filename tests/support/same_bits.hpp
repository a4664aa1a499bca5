/// \file
/// Equality of numbers bit by bit: a NaN is itself, and 0 is not -0.
#pragma once

#include <cstring>
#include <span>

namespace graphrun::testing {

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace graphrun::testing
