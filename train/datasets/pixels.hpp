/// \file
/// Bytes as numbers in [0, 1]: what most data sets hold, and what models take.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/machine/isa.hpp"

namespace graphrun::train {

/// values[i] = bytes[i] / 255, the f32 nearest to it, on every instruction set. `values` holds as many.
void unit_interval(std::span<const std::uint8_t> bytes, float* values, runtime::Isa isa) noexcept;

}  // namespace graphrun::train
