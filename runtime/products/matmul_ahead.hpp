/// \file
/// What a tiled product asks the memory for ahead of its use.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/products/matmul.hpp"
#include "runtime/products/matmul_tile.hpp"

namespace graphrun::runtime {

/// A tile asks for a pair of cache lines with each inner step.
inline constexpr std::ptrdiff_t pair_bytes = 2 * cache_line;

/// Pairs of cache lines at even distances.
struct Pairs {
  const char* next = nullptr;
  std::ptrdiff_t step = 0;
  std::size_t left = 0;

  /// Gives a tile as many as it has inner steps.
  void take(Tile& tile);
};

/// Whose turn it is: first what the next tile reads of rows that lie far away, then what the next panel
/// reads, then the next chunk of a transposed `a`; the tiles left over bring what is used after the product,
/// at an even pace.
class Ahead {
 public:
  /// `inner`: steps of a tile. `spare`: how many tiles have nothing to bring for the next panel.
  Ahead(std::span<const Stretch> soon, std::size_t inner, std::size_t spare);

  void panel(const float* first, std::ptrdiff_t step, std::size_t count);
  /// What the next tile reads of `a`, while the first panel goes over rows that lie far away.
  void rows(const float* first, std::ptrdiff_t step, std::size_t count);
  /// `count` pieces of `bytes`, each `step` after the one before.
  void chunk(const float* first, std::ptrdiff_t step, std::size_t count, std::size_t bytes);

  void take(Tile& tile);

 private:
  void take_chunk(Tile& tile);
  void take_soon(Tile& tile);

  Pairs rows_;
  Pairs panel_;
  Pairs chunk_;
  Pairs chunk_begin_;  // of the pass at hand
  std::size_t chunk_passes_ = 0;
  std::span<const Stretch> soon_;
  std::size_t turn_bytes_;  // that one tile brings
  std::size_t done_ = 0;    // bytes of the first stretch
  float pace_ = 0;
  float credit_ = 0;
};

}  // namespace graphrun::runtime
