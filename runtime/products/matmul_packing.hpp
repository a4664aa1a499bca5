/// \file
/// Panels of an operand, copied so that the columns of one inner step lie side by side. Needs AVX2.
#pragma once

#include <cstddef>

namespace graphrun::runtime {

/// target[k][j] = source[j][k]: `columns` rows of the source become columns, `inner` elements each.
void pack_transposed(const float* source, std::size_t source_row, std::size_t columns, std::size_t inner,
                     float* target, std::size_t target_row) noexcept;

/// target[k][j] = source[k][j] for `width` columns of the source, a multiple of eight.
void pack_columns(const float* source, std::size_t source_row, std::size_t width, std::size_t inner,
                  float* target, std::size_t target_row) noexcept;

}  // namespace graphrun::runtime
