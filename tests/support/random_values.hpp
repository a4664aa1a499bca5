/// \file
/// Operands that are drawn.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace graphrun::testing {

/// Evenly from -1 to 1.
inline std::vector<float> random_values(std::mt19937& generator, std::int64_t count) {
  std::uniform_real_distribution<float> distribution(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = distribution(generator);
  return values;
}

}  // namespace graphrun::testing
