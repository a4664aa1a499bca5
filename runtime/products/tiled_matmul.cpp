#include "runtime/products/tiled_matmul.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/machine/aligned.hpp"
#include "runtime/products/few_columns_matmul.hpp"
#include "runtime/products/few_rows_matmul.hpp"
#include "runtime/products/matmul_packing.hpp"
#include "runtime/products/matmul_tile.hpp"

namespace graphrun::runtime {
namespace {

/// How much of `a` is worked on at a time, so that it stays in the second-level cache.
constexpr std::size_t chunk_bytes = std::size_t{416} << 10;
/// The same where each chunk packs all panels of `b` again.
constexpr std::size_t packing_chunk_bytes = std::size_t{512} << 10;

std::size_t size_of(std::int64_t count) {
  return static_cast<std::size_t>(count);
}

/// Pairs of cache lines at even distances.
struct Pairs {
  const char* next = nullptr;
  std::ptrdiff_t step = 0;
  std::size_t left = 0;

  /// Gives a tile as many as it has inner steps.
  void take(Tile& tile) {
    tile.ahead = next;
    tile.ahead_step = step;
    const std::size_t count = std::min(left, tile.inner);
    next += step * static_cast<std::ptrdiff_t>(count);
    left -= count;
  }
};

constexpr std::ptrdiff_t pair_bytes = 2 * cache_line;

/// What is asked for ahead of its use, a pair of cache lines with each inner step of a tile. First what the
/// next panel reads, then the next chunk of a transposed `a`; the tiles left over bring what is used after
/// the product, at an even pace.
class Ahead {
 public:
  /// `spare`: how many tiles have nothing to bring for the next panel.
  Ahead(std::span<const Stretch> soon, std::size_t inner, std::size_t spare)
      : soon_(soon), turn_bytes_(std::max<std::size_t>(1, inner) * pair_bytes) {
    std::size_t turns = 0;
    for (const Stretch& stretch : soon) turns += (stretch.bytes + turn_bytes_ - 1) / turn_bytes_;
    pace_ = spare == 0 ? 1 : static_cast<float>(turns) / static_cast<float>(spare);
  }

  void panel(const float* first, std::ptrdiff_t step, std::size_t count) {
    panel_ = {reinterpret_cast<const char*>(first), step, count};
  }

  /// What the next tile reads of `a`, while the first panel goes over rows that lie far away.
  void rows(const float* first, std::ptrdiff_t step, std::size_t count) {
    rows_ = {reinterpret_cast<const char*>(first), step, count};
  }

  /// `count` pieces of `bytes`, each `step` after the one before.
  void chunk(const float* first, std::ptrdiff_t step, std::size_t count, std::size_t bytes) {
    chunk_ = {reinterpret_cast<const char*>(first), step, count};
    chunk_begin_ = chunk_;
    chunk_passes_ = (bytes + pair_bytes - 1) / pair_bytes;
  }

  void take(Tile& tile) {
    if (rows_.left > 0) return rows_.take(tile);
    if (panel_.left > 0) return panel_.take(tile);
    if (chunk_passes_ > 0) return take_chunk(tile);
    tile.ahead = reinterpret_cast<const char*>(tile.a);
    tile.ahead_step = 0;
    if (soon_.empty() || (credit_ += pace_) < 1) return;
    credit_ -= 1;
    take_soon(tile);
  }

 private:
  void take_chunk(Tile& tile) {
    chunk_.take(tile);
    if (chunk_.left > 0) return;
    chunk_begin_.next += pair_bytes;
    chunk_ = chunk_begin_;
    --chunk_passes_;
  }

  void take_soon(Tile& tile) {
    tile.ahead = reinterpret_cast<const char*>(soon_.front().begin) + done_;
    tile.ahead_step = pair_bytes;
    done_ += turn_bytes_;
    if (done_ < soon_.front().bytes) return;
    soon_ = soon_.subspan(1);
    done_ = 0;
  }

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

class TiledMatmul final : public Matmul, public BoundMatmul {
 public:
  TiledMatmul(const MatmulSpec& spec, Isa isa)
      : spec_(spec),
        isa_(isa),
        set_(tiles_of(isa)),
        rows_(size_of(spec.rows)),
        columns_(size_of(spec.columns)),
        inner_(size_of(spec.inner)) {
    const std::size_t stored = spec.transpose_a ? rows_ : inner_;
    const std::size_t stride = spec.a_stride > 0 ? size_of(spec.a_stride) : stored;
    a_row_ = spec.transpose_a ? 1 : stride;
    a_inner_ = spec.transpose_a ? stride : 1;
    chunk_ = chunk_rows();
    name_ = "tiles:" + std::string(to_string(isa));
  }

  std::unique_ptr<BoundMatmul> bind() const override { return std::make_unique<TiledMatmul>(spec_, isa_); }
  const std::string& implementation() const override { return name_; }

  /// A packed panel of `b`, then for a narrow product a tile of the result and the bias, or a chunk of `a`.
  std::size_t scratch_bytes() const override {
    const std::size_t beside = narrow()       ? (set_.rows + 1) * panel()
                               : packs_left() ? chunk_ * packed_row()
                                              : 0;
    return (panel_elements() + beside) * sizeof(float);
  }

  bool run(const MatmulArguments& arguments) noexcept override {
    if (narrow()) {
      run_narrow(arguments);
      activate(spec_, arguments.output, rows_ * columns_);
      return true;
    }
    Ahead ahead(arguments.soon, inner_, spare_tiles(chunk_));
    for (std::size_t row = 0; row < rows_; row += chunk_) {
      const std::size_t count = std::min(chunk_, rows_ - row);
      const std::size_t next = row + count;
      if (spec_.transpose_a && next < rows_) {
        ahead.chunk(arguments.a + next, static_cast<std::ptrdiff_t>(a_inner_ * sizeof(float)), inner_,
                    std::min(chunk_, rows_ - next) * sizeof(float));
      }
      const Left left = left_chunk(arguments, row, count);
      for_each_panel(set_, columns_, [&](std::size_t column, std::size_t vectors) {
        run_panel(arguments, left, row, count, column, vectors, ahead);
      });
      activate(spec_, arguments.output + row * columns_, count * columns_);
    }
    return true;
  }

 private:
  std::size_t panel() const { return 2 * set_.lanes; }
  std::size_t panel_elements() const { return packs() ? inner_ * panel() : 0; }
  bool narrow() const { return columns_ < set_.lanes; }
  bool packs() const { return spec_.transpose_b || narrow() || packs_all(); }

  /// Tiles of AVX2 are small: they read `b` so often that its rows had better lie side by side, and not, as
  /// those of a power of two of columns do, where they push each other out of the cache. Worth it when there
  /// are rows enough to pay for the copy, fewer where a panel is far larger than a first-level cache; a
  /// transposed `a` is copied too, and gains more.
  bool packs_all() const {
    if (isa_ != Isa::avx2) return false;
    const bool large = inner_ * panel() * sizeof(float) > (std::size_t{56} << 10);
    return rows_ >= (spec_.transpose_a ? 4 : large ? 6 : 16) * set_.rows;
  }

  /// A transposed `a` beside a packed `b`; and the rows of a plain one where the cache has no place for them:
  /// a multiple of 4 KiB apart, all rows of a tile compete for the ways of one set. Copies lie a line off
  /// that.
  bool packs_left() const {
    if (narrow() || columns_ < 4 * panel()) return false;
    return spec_.transpose_a ? packs_all() : crowded() && rows_ >= set_.rows / 2;
  }
  bool crowded() const { return set_.rows > 8 && a_row_ > 0 && a_row_ * sizeof(float) % 4096 == 0; }
  std::size_t packed_row() const { return crowded() ? inner_ + cache_line / sizeof(float) : inner_; }

  /// So many rows of `a` that they stay in the second-level cache, in even chunks: each reads all of `b`
  /// again. Where panels of `b` are packed and rows of `a` are not, one chunk, so that each is packed once.
  std::size_t chunk_rows() const {
    const std::size_t rows = std::max<std::size_t>(1, rows_);
    if (packs() && !packs_left()) return rows;
    const std::size_t row_bytes = std::max<std::size_t>(1, inner_) * sizeof(float);
    const std::size_t most = std::max(set_.rows, (packs() ? packing_chunk_bytes : chunk_bytes) / row_bytes);
    const std::size_t chunks = (rows + most - 1) / most;
    return (rows + chunks - 1) / chunks;
  }

  /// Rows of `a`: where the first begins, and the steps to the next row and along a row.
  struct Left {
    const float* values;
    std::size_t row;
    std::size_t inner;
    bool cold;  ///< nothing has brought them yet
  };

  Left left_chunk(const MatmulArguments& arguments, std::size_t row, std::size_t count) const {
    const float* const first = arguments.a + row * a_row_;
    if (!packs_left()) return {first, a_row_, a_inner_, !spec_.transpose_a || row == 0};
    float* const packed = reinterpret_cast<float*>(arguments.scratch) + panel_elements();
    if (spec_.transpose_a) {
      pack_transposed(first, a_inner_, inner_, count, packed, packed_row());
    } else {
      for (std::size_t i = 0; i < count; ++i)
        std::copy_n(first + i * a_row_, inner_, packed + i * packed_row());
    }
    return {packed, packed_row(), 1, false};
  }

  /// The first tile of a panel brings the next panel (of a transposed `b` several do).
  std::size_t spare_tiles(std::size_t chunk) const {
    const std::size_t of_panel = (chunk + set_.rows - 1) / set_.rows;
    const std::size_t taken = spec_.transpose_b ? panel() * sizeof(float) / pair_bytes : 1;
    const std::size_t panels = (columns_ + panel() - 1) / panel();
    const std::size_t chunks = (rows_ + chunk - 1) / std::max<std::size_t>(1, chunk);
    return of_panel > taken ? chunks * panels * (of_panel - taken) : 0;
  }

  void run_panel(const MatmulArguments& arguments, const Left& left, std::size_t row, std::size_t count,
                 std::size_t column, std::size_t vectors, Ahead& ahead) const {
    Tile tile{};
    tile.b = arguments.b + column;
    tile.b_inner = columns_;
    const std::size_t next = std::min(column + vectors * set_.lanes, columns_ - 1);
    if (packs()) {
      auto* const packed = reinterpret_cast<float*>(arguments.scratch);
      pack_panel(arguments.b, column, vectors * set_.lanes, packed);
      tile.b = packed;
      tile.b_inner = panel();
    }
    if (spec_.transpose_b) {
      ahead.panel(arguments.b + next * inner_, pair_bytes, inner_ * panel() * sizeof(float) / pair_bytes);
    } else {
      // A row of the next panel begins within a line that this panel has asked for: the two after it.
      ahead.panel(arguments.b + next + cache_line / sizeof(float),
                  static_cast<std::ptrdiff_t>(columns_ * sizeof(float)), inner_);
    }
    tile.c = arguments.output + row * columns_ + column;
    tile.c_row = columns_;
    tile.bias = spec_.bias ? arguments.bias + column : nullptr;
    run_tiles(tile, left, count, vectors, column == 0 && left.cold, ahead);
    // Now the panel is near.
    if (spec_.column_sums && row == 0) {
      set_.sums[vectors - 1](tile.b, tile.b_inner, inner_, arguments.column_sums + column);
    }
  }

  void pack_panel(const float* b, std::size_t column, std::size_t width, float* packed) const {
    if (spec_.transpose_b) {
      pack_transposed(b + column * inner_, inner_, width, inner_, packed, panel());
    } else {
      pack_columns(b + column, columns_, width, inner_, packed, panel());
    }
  }

  /// Rows in shares as even as can be.
  void run_tiles(Tile& tile, const Left& left, std::size_t count, std::size_t vectors, bool cold,
                 Ahead& ahead) const {
    tile.a_row = left.row;
    tile.a_inner = left.inner;
    tile.inner = inner_;
    float* const c = tile.c;
    const std::size_t tiles = (count + set_.rows - 1) / set_.rows;
    for (std::size_t i = 0; i < tiles; ++i) {
      const std::size_t begin = count * i / tiles;
      const std::size_t end = count * (i + 1) / tiles;
      tile.a = left.values + begin * left.row;
      tile.c = c + begin * tile.c_row;
      if (cold && i + 1 < tiles) bring_rows(left, begin, end, count * (i + 2) / tiles, ahead);
      ahead.take(tile);
      set_.tile(left.inner == 1, vectors, end - begin)(tile);
    }
  }

  /// What the next tile, of rows `end` to `next`, reads of `a`. Where a tile's rows lie side by side, a line
  /// holds those of both: the first tile brings them some steps before it uses its own.
  void bring_rows(const Left& left, std::size_t begin, std::size_t end, std::size_t next,
                  Ahead& ahead) const {
    const auto step = static_cast<std::ptrdiff_t>(left.inner * sizeof(float));
    constexpr std::size_t lead = 16;
    if (!spec_.transpose_a) {
      ahead.rows(left.values + end * left.row, pair_bytes,
                 (next - end) * left.row * sizeof(float) / pair_bytes);
    } else if (begin > 0) {
      ahead.rows(left.values + end + cache_line / sizeof(float) - 1, step, inner_);
    } else if (inner_ > lead) {
      ahead.rows(left.values + lead * left.inner, step, inner_ - lead);
    }
  }

  /// Fewer columns than a vector has lanes: `b`, the bias and the result pass through padded copies.
  void run_narrow(const MatmulArguments& arguments) const {
    auto* const packed = reinterpret_cast<float*>(arguments.scratch);
    const std::size_t width = set_.lanes;
    std::fill_n(packed, inner_ * width, 0.0F);
    if (spec_.transpose_b) {
      pack_transposed(arguments.b, inner_, columns_, inner_, packed, width);
    } else {
      for (std::size_t k = 0; k < inner_; ++k) {
        std::copy_n(arguments.b + k * columns_, columns_, packed + k * width);
      }
    }
    float* const result = packed + inner_ * width;
    float* const bias = result + set_.rows * width;
    std::fill_n(bias, width, 0.0F);
    if (spec_.bias) std::copy_n(arguments.bias, columns_, bias);
    if (spec_.column_sums) {
      set_.sums[0](packed, width, inner_, result);
      std::copy_n(result, columns_, arguments.column_sums);
    }
    Tile tile{};
    tile.b = packed;
    tile.b_inner = width;
    tile.bias = bias;
    tile.c_row = width;
    Ahead ahead({}, inner_, 0);
    for (std::size_t row = 0; row < rows_; row += set_.rows) {
      const std::size_t count = std::min(set_.rows, rows_ - row);
      tile.c = result;
      run_tiles(tile, {arguments.a + row * a_row_, a_row_, a_inner_, false}, count, 1, false, ahead);
      for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(result + i * width, columns_, arguments.output + (row + i) * columns_);
      }
    }
  }

  MatmulSpec spec_;
  Isa isa_;
  const TileSet& set_;
  std::size_t rows_;
  std::size_t columns_;
  std::size_t inner_;
  std::size_t a_row_ = 0;
  std::size_t a_inner_ = 0;
  std::size_t chunk_ = 0;
  std::string name_;
};

}  // namespace

bool has_tiles(Isa isa) {
  return isa != Isa::baseline;
}

std::unique_ptr<Matmul> make_tiled_matmul(const MatmulSpec& spec, Isa isa) {
  if (has_few_rows(spec, isa)) return make_few_rows_matmul(spec, isa);
  if (has_few_columns(spec, isa)) return make_few_columns_matmul(spec, isa);
  return std::make_unique<TiledMatmul>(spec, isa);
}

}  // namespace graphrun::runtime
