/// \file
/// The kernels of tiled products: a few rows by one or two vectors of columns, held in registers along the
/// whole inner index. Every element is one chain of fused multiply-adds in ascending order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "runtime/machine/isa.hpp"

namespace graphrun::runtime {

inline constexpr std::ptrdiff_t cache_line = 64;

/// What a tile computes: c = start + a · b, a few rows by one panel of columns. Strides are in elements.
struct Tile {
  const float* a;
  std::size_t a_row;    ///< from one row of the result to the next
  std::size_t a_inner;  ///< along the inner index
  const float* b;
  std::size_t b_inner;
  float* c;
  std::size_t c_row;
  std::size_t inner;
  const float* start;  ///< what the sums begin with, in rows of `start_row`; null: zero
  std::size_t start_row;
  /// Two cache lines are asked for with every inner step: what the next tiles read.
  const char* ahead;
  std::ptrdiff_t ahead_step;
};

using TileFunction = void (*)(const Tile&) noexcept;

/// sums[j] += b[0][j] + b[1][j] + …, row after row, for the columns of some vectors side by side.
using SumFunction = void (*)(const float* b, std::size_t b_inner, std::size_t inner, float* sums) noexcept;

/// The tiles of an instruction set by layout of `a`, vectors and rows.
struct TileSet {
  static constexpr std::size_t most_rows = 14;
  std::array<std::array<std::array<TileFunction, most_rows>, 2>, 2> tiles{};
  std::array<SumFunction, 2> sums{};  ///< by vectors
  std::size_t rows = 0;               ///< the most of one tile
  std::size_t lanes = 0;              ///< columns of one vector

  TileFunction tile(bool along, std::size_t vectors, std::size_t count) const {
    return tiles[along ? 1 : 0][vectors - 1][count - 1];
  }
};

/// Calls `panel(first column, vectors)` for panels of two vectors, the last of one if that is enough. It
/// overlaps its neighbour rather than being cut, and computes the same bits once more. There must be columns
/// for a vector.
template <class Panel>
void for_each_panel(const TileSet& set, std::size_t columns, Panel panel) {
  const std::size_t widest = 2 * set.lanes;
  for (std::size_t begin = 0; begin < columns;) {
    const std::size_t rest = columns - begin;
    const bool two = rest >= widest || (rest > set.lanes && columns >= widest);
    const std::size_t width = two ? widest : set.lanes;
    panel(std::min(begin, columns - width), two ? std::size_t{2} : std::size_t{1});
    begin += width;
  }
}

/// `isa` must have fused multiply-add.
const TileSet& tiles_of(Isa isa);

}  // namespace graphrun::runtime
