#include "runtime/products/matmul_blocking.hpp"

#include <algorithm>

#include "runtime/machine/cache.hpp"

namespace graphrun::runtime {
namespace {

constexpr std::size_t kibibyte = 1024;
/// How much of `a` is worked on at a time where `b` is read in place.
constexpr std::size_t chunk_bytes = 416 * kibibyte;
/// Rows of a multiple of this have their place in one set of the first-level cache.
constexpr std::size_t set_bytes = 4096;

/// The same where each chunk packs all panels of `b` again. Tiles of AVX2 keep up with copies from the last
/// cache, so that there are as few chunks as can be.
std::size_t packing_chunk_bytes(const TileSet& set) {
  if (set.rows <= 8) return 2048 * kibibyte;
  return std::clamp(second_level_cache_bytes() / 2, 512 * kibibyte, 1024 * kibibyte);
}

bool crowded(std::size_t row) {
  return row > 0 && row * sizeof(float) % set_bytes == 0;
}

std::size_t size_of(std::int64_t count) {
  return static_cast<std::size_t>(count);
}

/// Tiles of AVX2 are small: they read `b` so often that its rows had better lie side by side, and not, as
/// those of a power of two of columns do, where they push each other out of the cache. Worth it when there
/// are rows enough to pay for the copy, fewer where a panel is far larger than a first-level cache; a
/// transposed `a` is copied too, and gains more.
bool copies_pay_avx2(const MatmulSpec& spec, const MatmulBlocking& blocking, std::size_t tile_rows) {
  const bool large = blocking.inner * blocking.panel * sizeof(float) > 56 * kibibyte;
  return blocking.rows >= (spec.transpose_a ? 4 : large ? 6 : 16) * tile_rows;
}

/// With AVX-512 a tile takes its operands from the first-level cache as fast as they come: a copy pays for
/// itself after eight tiles, after four where `b` comes from afar or both operands are read down their
/// columns, and after one where rows of `b` push each other out.
bool copies_pay_avx512(const MatmulSpec& spec, const MatmulBlocking& blocking, std::size_t tile_rows) {
  const std::size_t right_bytes = blocking.inner * blocking.columns * sizeof(float);
  if (crowded(blocking.columns) && blocking.inner > 32) return blocking.rows >= tile_rows;
  if (spec.transpose_a) return blocking.rows >= 4 * tile_rows && blocking.columns >= 8 * blocking.panel;
  const bool afar = right_bytes > 1536 * kibibyte;
  return blocking.rows >= (afar ? 4 : 8) * tile_rows && blocking.inner > 128;
}

LeftOperand left_operand(const MatmulSpec& spec, const MatmulBlocking& blocking, const TileSet& set,
                         bool copies_pay) {
  if (blocking.narrow || blocking.columns < 4 * blocking.panel) return LeftOperand::in_place;
  if (spec.transpose_a) return copies_pay ? LeftOperand::tiles : LeftOperand::in_place;
  // All rows of a tall tile would compete for the ways of one set.
  const bool compete = set.rows > 8 && crowded(blocking.inner) && blocking.rows >= set.rows / 2;
  return compete ? LeftOperand::rows : LeftOperand::in_place;
}

/// In even chunks: each reads all of `b` again. Where panels of `b` are packed and rows of `a` are not, one
/// chunk, so that each is packed once.
std::size_t chunk_rows(const MatmulBlocking& blocking, const TileSet& set) {
  const std::size_t rows = std::max<std::size_t>(1, blocking.rows);
  if (blocking.packs_right && blocking.left == LeftOperand::in_place && set.rows <= 8) return rows;
  const std::size_t row_bytes = std::max<std::size_t>(1, blocking.inner) * sizeof(float);
  const std::size_t bytes = blocking.packs_right ? packing_chunk_bytes(set) : chunk_bytes;
  const std::size_t most = std::max(set.rows, bytes / row_bytes);
  const std::size_t chunks = (rows + most - 1) / most;
  return (rows + chunks - 1) / chunks;
}

/// In even blocks. Tiles of AVX2 gain nothing from them.
std::size_t inner_steps(const MatmulBlocking& blocking, Isa isa) {
  constexpr std::size_t most = 192;  // 24 KiB of a panel
  if (isa != Isa::avx512 || !blocking.packs_right || blocking.narrow) return blocking.inner;
  const std::size_t blocks = std::max<std::size_t>(1, (blocking.inner + most - 1) / most);
  return (blocking.inner + blocks - 1) / blocks;
}

}  // namespace

std::size_t MatmulBlocking::left_floats(const TileSet& set) const {
  switch (left) {
    case LeftOperand::in_place:
      return 0;
    case LeftOperand::rows:
      return chunk_rows * left_stride;
    case LeftOperand::tiles:
      return tiles_of_rows(set, chunk_rows) * inner * left_stride;
  }
  return 0;
}

MatmulBlocking blocking_of(const MatmulSpec& spec, const TileSet& set, Isa isa) {
  MatmulBlocking blocking;
  blocking.rows = size_of(spec.rows);
  blocking.columns = size_of(spec.columns);
  blocking.inner = size_of(spec.inner);
  blocking.panel = 2 * set.lanes;
  blocking.narrow = blocking.columns < set.lanes;
  const bool copies_pay = (isa == Isa::avx2 ? copies_pay_avx2 : copies_pay_avx512)(spec, blocking, set.rows);
  blocking.packs_right = spec.transpose_b || blocking.narrow || copies_pay;
  blocking.left = left_operand(spec, blocking, set, copies_pay);
  constexpr std::size_t line = cache_line / sizeof(float);
  blocking.left_stride = blocking.left == LeftOperand::tiles ? (set.rows + 7) / 8 * 8 : blocking.inner + line;
  blocking.chunk_rows = chunk_rows(blocking, set);
  blocking.inner_steps = inner_steps(blocking, isa);
  return blocking;
}

}  // namespace graphrun::runtime
