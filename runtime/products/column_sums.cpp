#include "runtime/products/column_sums.hpp"

#include <algorithm>

#include "runtime/products/matmul_tile.hpp"

namespace graphrun::runtime {

void sum_columns(const float* b, std::size_t rows, std::size_t columns, float* sums, Isa isa) noexcept {
  const TileSet& set = tiles_of(isa);
  if (columns >= set.lanes) {
    return for_each_panel(set, columns, [&](std::size_t column, std::size_t vectors) {
      std::fill_n(sums + column, vectors * set.lanes, 0.0F);
      set.sums[vectors - 1](b + column, columns, rows, sums + column);
    });
  }
  std::fill_n(sums, columns, 0.0F);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) sums[j] += b[i * columns + j];
  }
}

}  // namespace graphrun::runtime
