#include "runtime/products/matmul_packing.hpp"

#include <array>

namespace graphrun::runtime {
namespace {

constexpr std::size_t block = 8;

/// target[k][j] = source[j][k] for 8 by 8 elements.
[[gnu::target("avx2,fma")]] void transpose_block(const float* source, std::size_t source_row, float* target,
                                                 std::size_t target_row) noexcept {
  using Vector [[gnu::vector_size(32)]] = float;
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  std::array<Vector, block> x{};
  std::array<Vector, block> y{};
#pragma GCC unroll 8
  for (std::size_t j = 0; j < block; ++j) {
    x[j] = reinterpret_cast<const Unaligned*>(source + j * source_row)[0];
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < block; j += 2) {
    y[j] = __builtin_shufflevector(x[j], x[j + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    y[j + 1] = __builtin_shufflevector(x[j], x[j + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
#pragma GCC unroll 2
  for (std::size_t j = 0; j < block; j += 4) {
    x[j] = __builtin_shufflevector(y[j], y[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    x[j + 1] = __builtin_shufflevector(y[j], y[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    x[j + 2] = __builtin_shufflevector(y[j + 1], y[j + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    x[j + 3] = __builtin_shufflevector(y[j + 1], y[j + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < 4; ++j) {
    reinterpret_cast<Unaligned*>(target + j * target_row)[0] =
        __builtin_shufflevector(x[j], x[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    reinterpret_cast<Unaligned*>(target + (j + 4) * target_row)[0] =
        __builtin_shufflevector(x[j], x[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

}  // namespace

void pack_transposed(const float* source, std::size_t source_row, std::size_t columns, std::size_t inner,
                     float* target, std::size_t target_row) noexcept {
  const std::size_t whole_columns = columns / block * block;
  const std::size_t whole_inner = inner / block * block;
  // Two blocks of a row of them at a time: as much as a cache line holds, whatever else maps to its place.
  for (std::size_t k = 0; k < whole_inner; k += 2 * block) {
    for (std::size_t j = 0; j < whole_columns; j += block) {
      const float* const from = source + j * source_row + k;
      float* const to = target + k * target_row + j;
      transpose_block(from, source_row, to, target_row);
      if (k + block < whole_inner)
        transpose_block(from + block, source_row, to + block * target_row, target_row);
    }
  }
  for (std::size_t j = 0; j < columns; ++j) {
    const std::size_t begin = j < whole_columns ? whole_inner : 0;
    for (std::size_t k = begin; k < inner; ++k) target[k * target_row + j] = source[j * source_row + k];
  }
}

[[gnu::target("avx2,fma")]] void pack_columns(const float* source, std::size_t source_row, std::size_t width,
                                              std::size_t inner, float* target,
                                              std::size_t target_row) noexcept {
  using Vector [[gnu::vector_size(32)]] = float;
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  for (std::size_t k = 0; k < inner; ++k) {
    for (std::size_t j = 0; j < width; j += block) {
      reinterpret_cast<Unaligned*>(target + j)[0] = reinterpret_cast<const Unaligned*>(source + j)[0];
    }
    source += source_row;
    target += target_row;
  }
}

}  // namespace graphrun::runtime
