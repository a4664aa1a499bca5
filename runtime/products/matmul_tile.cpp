#include "runtime/products/matmul_tile.hpp"

#include <algorithm>
#include <utility>

namespace graphrun::runtime {
namespace {

/// `along`: the elements of one row of `a` lie next to each other, so that a_inner is 1; otherwise those of
/// one column do, and a_row is 1.
template <class Vector, std::size_t rows, std::size_t vectors, bool along>
[[gnu::always_inline]] inline void run_tile(const Tile& tile) noexcept {
  constexpr std::size_t lanes = sizeof(Vector) / sizeof(float);
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  std::array<std::array<Vector, vectors>, rows> sum{};
  if (tile.start != nullptr) {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < rows; ++row) {
#pragma GCC unroll 2
      for (std::size_t v = 0; v < vectors; ++v) {
        sum[row][v] = reinterpret_cast<const Unaligned*>(tile.start + row * tile.start_row + v * lanes)[0];
      }
    }
  }
  // Rows of `a` in threes from one pointer each: so many addresses fit in registers.
  std::array<const float*, (rows + 2) / 3> a{};
#pragma GCC unroll 5
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = tile.a + 3 * i * tile.a_row;
  const float* b = tile.b;
  const char* ahead = tile.ahead;
  const std::size_t a_row = along ? tile.a_row : 1;
  const auto multiply_and_add = [&] [[gnu::always_inline]] () {
    std::array<Vector, vectors> right{};
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) right[v] = reinterpret_cast<const Unaligned*>(b + v * lanes)[0];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < rows; ++row) {
      const float left = a[row / 3][row % 3 * a_row];
      // Contraction is on in this file alone: this is one fused multiply-add.
#pragma GCC unroll 2
      for (std::size_t v = 0; v < vectors; ++v) sum[row][v] += left * right[v];
    }
    __builtin_prefetch(ahead, 0, 2);
    __builtin_prefetch(ahead + cache_line, 0, 2);
    ahead += tile.ahead_step;
#pragma GCC unroll 5
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += along ? 1 : tile.a_inner;
    b += tile.b_inner;
  };
  // The first steps ask for a row of the result each: what a store has to wait for arrives meanwhile.
  const float* result = tile.c;
  const std::size_t asking = std::min(rows, tile.inner);
  for (std::size_t k = 0; k < asking; ++k) {
    __builtin_prefetch(result, 1);
    __builtin_prefetch(result + vectors * lanes - 1, 1);
    result += tile.c_row;
    multiply_and_add();
  }
  for (std::size_t k = asking; k < tile.inner; ++k) multiply_and_add();
  float* c = tile.c;
#pragma GCC unroll 16
  for (std::size_t row = 0; row < rows; ++row) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) {
      reinterpret_cast<Unaligned*>(c + row * tile.c_row + v * lanes)[0] = sum[row][v];
    }
  }
}

template <class Vector, std::size_t vectors>
[[gnu::always_inline]] inline void run_sum(const float* b, std::size_t b_inner, std::size_t inner,
                                           float* sums) noexcept {
  constexpr std::size_t lanes = sizeof(Vector) / sizeof(float);
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  std::array<Vector, vectors> sum{};
#pragma GCC unroll 2
  for (std::size_t v = 0; v < vectors; ++v) sum[v] = reinterpret_cast<const Unaligned*>(sums + v * lanes)[0];
  for (std::size_t k = 0; k < inner; ++k) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < vectors; ++v) {
      sum[v] += reinterpret_cast<const Unaligned*>(b + k * b_inner + v * lanes)[0];
    }
  }
#pragma GCC unroll 2
  for (std::size_t v = 0; v < vectors; ++v) reinterpret_cast<Unaligned*>(sums + v * lanes)[0] = sum[v];
}

struct Avx2 {
  using Vector [[gnu::vector_size(32)]] = float;
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t most_rows = 6;  // 12 sums, 2 of b and 1 of a in 16 registers
  template <std::size_t rows, std::size_t vectors, bool along>
  [[gnu::target("avx2,fma")]] static void tile(const Tile& tile) noexcept {
    run_tile<Vector, rows, vectors, along>(tile);
  }
  template <std::size_t vectors>
  [[gnu::target("avx2,fma")]] static void sum(const float* b, std::size_t b_inner, std::size_t inner,
                                              float* sums) noexcept {
    run_sum<Vector, vectors>(b, b_inner, inner, sums);
  }
};

struct Avx512 {
  using Vector [[gnu::vector_size(64)]] = float;
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t most_rows = 14;  // 28 sums, 2 of b and 1 of a in 32 registers
  template <std::size_t rows, std::size_t vectors, bool along>
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")]] static void tile(
      const Tile& tile) noexcept {
    run_tile<Vector, rows, vectors, along>(tile);
  }
  template <std::size_t vectors>
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")]] static void sum(
      const float* b, std::size_t b_inner, std::size_t inner, float* sums) noexcept {
    run_sum<Vector, vectors>(b, b_inner, inner, sums);
  }
};

template <class Isa, std::size_t vectors, bool along, std::size_t... row>
constexpr std::array<TileFunction, TileSet::most_rows> tiles_by_rows(std::index_sequence<row...>) {
  return {Isa::template tile<row + 1, vectors, along>...};
}

template <class Isa>
constexpr TileSet tile_set() {
  constexpr auto rows = std::make_index_sequence<Isa::most_rows>();
  TileSet set;
  set.tiles = {{{tiles_by_rows<Isa, 1, false>(rows), tiles_by_rows<Isa, 2, false>(rows)},
                {tiles_by_rows<Isa, 1, true>(rows), tiles_by_rows<Isa, 2, true>(rows)}}};
  set.sums = {Isa::template sum<1>, Isa::template sum<2>};
  set.rows = Isa::most_rows;
  set.lanes = Isa::lanes;
  return set;
}

}  // namespace

const TileSet& tiles_of(Isa isa) {
  static constexpr TileSet avx2 = tile_set<Avx2>();
  static constexpr TileSet avx512 = tile_set<Avx512>();
  return isa == Isa::avx512 ? avx512 : avx2;
}

}  // namespace graphrun::runtime
