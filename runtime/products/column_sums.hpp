/// \file
/// Sums of the columns of a matrix, row after row, for products whose provider does not make them.
#pragma once

#include <cstddef>

#include "runtime/machine/isa.hpp"

namespace graphrun::runtime {

/// sums[j] = b[0][j] + b[1][j] + … of a dense [rows, columns]. `isa` must have fused multiply-add.
void sum_columns(const float* b, std::size_t rows, std::size_t columns, float* sums, Isa isa) noexcept;

}  // namespace graphrun::runtime
