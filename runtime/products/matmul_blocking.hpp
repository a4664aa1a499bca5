/// \file
/// How a tiled product goes through the caches: what it copies, and how much it works on at a time. None of
/// it changes a bit of the result.
///
/// Source of the scheme: K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication",
/// ACM TOMS 34(3), 2008; here operands are copied only where that pays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/machine/isa.hpp"
#include "runtime/products/matmul.hpp"
#include "runtime/products/matmul_tile.hpp"

namespace graphrun::runtime {

/// How rows of `a` are read: where they lie, from copies of whole rows, or from copies in which what a tile
/// reads lies in one piece (of a transposed `a`).
enum class LeftOperand : std::uint8_t { in_place, rows, tiles };

struct MatmulBlocking {
  std::size_t rows = 0;  ///< of the product, as are columns and inner
  std::size_t columns = 0;
  std::size_t inner = 0;
  std::size_t panel = 0;     ///< columns worked on at a time: two vectors
  bool narrow = false;       ///< fewer columns than a vector has lanes
  bool packs_right = false;  ///< each panel of `b` is copied before use
  LeftOperand left = LeftOperand::in_place;
  std::size_t left_stride = 0;  ///< of copies: from one row, or inner step of a tile, to the next
  std::size_t chunk_rows =
      0;  ///< rows of `a` worked on at a time, so that they stay in the second-level cache
  std::size_t inner_steps =
      0;  ///< worked on at a time, so that a panel of them stays in the first-level cache

  std::size_t panel_floats() const { return packs_right ? inner_steps * panel : 0; }
  std::size_t left_floats(const TileSet& set) const;
};

/// `isa` is that of the tiles.
MatmulBlocking blocking_of(const MatmulSpec& spec, const TileSet& set, Isa isa);

/// The tiles that so many rows are shared between.
inline std::size_t tiles_of_rows(const TileSet& set, std::size_t rows) {
  return (rows + set.rows - 1) / set.rows;
}

}  // namespace graphrun::runtime
