#include "runtime/products/tiled_matmul.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/machine/aligned.hpp"
#include "runtime/products/few_columns_matmul.hpp"
#include "runtime/products/few_rows_matmul.hpp"
#include "runtime/products/matmul_ahead.hpp"
#include "runtime/products/matmul_blocking.hpp"
#include "runtime/products/matmul_packing.hpp"
#include "runtime/products/matmul_tile.hpp"

namespace graphrun::runtime {
namespace {

class TiledMatmul final : public Matmul, public BoundMatmul {
 public:
  TiledMatmul(const MatmulSpec& spec, Isa isa)
      : spec_(spec), isa_(isa), set_(tiles_of(isa)), blocking_(blocking_of(spec, set_, isa)) {
    const std::size_t stored = spec.transpose_a ? blocking_.rows : blocking_.inner;
    const std::size_t stride = spec.a_stride > 0 ? static_cast<std::size_t>(spec.a_stride) : stored;
    a_row_ = spec.transpose_a ? 1 : stride;
    a_inner_ = spec.transpose_a ? stride : 1;
    name_ = "tiles:" + std::string(to_string(isa));
  }

  std::unique_ptr<BoundMatmul> bind() const override { return std::make_unique<TiledMatmul>(spec_, isa_); }
  const std::string& implementation() const override { return name_; }

  /// A packed panel of `b`, then for a narrow product a tile of the result and the bias, or a chunk of `a`.
  std::size_t scratch_bytes() const override {
    const std::size_t beside =
        blocking_.narrow ? (set_.rows + 1) * blocking_.panel : blocking_.left_floats(set_);
    return (blocking_.panel_floats() + beside) * sizeof(float);
  }

  bool run(const MatmulArguments& arguments) noexcept override {
    if (blocking_.narrow) {
      run_narrow(arguments);
      activate(spec_, arguments.output, blocking_.rows * blocking_.columns);
      return true;
    }
    Ahead ahead(arguments.soon, blocking_.inner_steps, spare_tiles());
    for (std::size_t row = 0; row < blocking_.rows; row += blocking_.chunk_rows) {
      const std::size_t count = std::min(blocking_.chunk_rows, blocking_.rows - row);
      run_chunk(arguments, row, count, ahead);
    }
    return true;
  }

 private:
  /// Rows of `a`: where the first begins, and the steps to the next row and along a row.
  struct Left {
    const float* values;
    std::size_t row;
    std::size_t inner;
    std::size_t tile;  ///< to what the next tile reads, where that lies in one piece; otherwise 0
    bool cold;         ///< nothing has brought them yet
  };

  /// Columns of `b` and inner steps that are worked on at a time.
  struct Right {
    std::size_t column;
    std::size_t vectors;
    std::size_t begin;  ///< of the inner steps
    std::size_t steps;
  };

  void run_chunk(const MatmulArguments& arguments, std::size_t row, std::size_t count, Ahead& ahead) const {
    const std::size_t next = row + count;
    if (spec_.transpose_a && next < blocking_.rows) {
      ahead.chunk(arguments.a + next, static_cast<std::ptrdiff_t>(a_inner_ * sizeof(float)), blocking_.inner,
                  std::min(blocking_.chunk_rows, blocking_.rows - next) * sizeof(float));
    }
    const Left left = left_chunk(arguments, row, count);
    for_each_panel(set_, blocking_.columns, [&](std::size_t column, std::size_t vectors) {
      run_panel(arguments, left, row, count, column, vectors, ahead);
    });
    activate(spec_, arguments.output + row * blocking_.columns, count * blocking_.columns);
  }

  Left left_chunk(const MatmulArguments& arguments, std::size_t row, std::size_t count) const {
    const float* const first = arguments.a + row * a_row_;
    float* const packed = reinterpret_cast<float*>(arguments.scratch) + blocking_.panel_floats();
    const std::size_t stride = blocking_.left_stride;
    if (blocking_.left == LeftOperand::in_place) {
      return {first, a_row_, a_inner_, 0, !spec_.transpose_a || row == 0};
    }
    if (blocking_.left == LeftOperand::tiles) {
      pack_tiles(first, count, blocking_.rows - row, packed);
      return {packed, 1, stride, blocking_.inner * stride, false};
    }
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(first + i * a_row_, blocking_.inner, packed + i * stride);
    }
    return {packed, stride, 1, 0, false};
  }

  /// Copies are as wide as the tallest tile, so they read beyond a shorter one, but not beyond the `left`
  /// rows that there are.
  void pack_tiles(const float* first, std::size_t count, std::size_t left, float* packed) const {
    const std::size_t width = blocking_.left_stride;
    const std::size_t tiles = tiles_of_rows(set_, count);
    for (std::size_t i = 0; i < tiles; ++i) {
      const std::size_t begin = count * i / tiles;
      const float* source = first + begin;
      float* target = packed + i * blocking_.inner * width;
      if (begin + width <= left) {
        pack_columns(source, a_inner_, width, blocking_.inner, target, width);
        continue;
      }
      for (std::size_t k = 0; k < blocking_.inner; ++k, source += a_inner_, target += width) {
        std::copy_n(source, left - begin, target);
      }
    }
  }

  /// The first tile of a panel brings the next panel (of a transposed `b` several do).
  std::size_t spare_tiles() const {
    const std::size_t of_panel = tiles_of_rows(set_, blocking_.chunk_rows);
    const std::size_t taken = spec_.transpose_b ? blocking_.panel * sizeof(float) / pair_bytes : 1;
    const std::size_t panels = (blocking_.columns + blocking_.panel - 1) / blocking_.panel;
    const std::size_t chunks = (blocking_.rows + blocking_.chunk_rows - 1) / blocking_.chunk_rows;
    const std::size_t steps = std::max<std::size_t>(1, blocking_.inner_steps);
    const std::size_t blocks = (blocking_.inner + steps - 1) / steps;
    return of_panel > taken ? chunks * panels * blocks * (of_panel - taken) : 0;
  }

  /// While nothing has brought the rows of `a`, tiles go along the whole inner index, and ask for the next.
  void run_panel(const MatmulArguments& arguments, const Left& left, std::size_t row, std::size_t count,
                 std::size_t column, std::size_t vectors, Ahead& ahead) const {
    Tile tile{};
    tile.c = arguments.output + row * blocking_.columns + column;
    tile.c_row = blocking_.columns;
    tile.start = spec_.bias ? arguments.bias + column : nullptr;
    const bool sums = spec_.column_sums && row == 0;
    if (sums) std::fill_n(arguments.column_sums + column, vectors * set_.lanes, 0.0F);
    std::size_t begin = 0;
    do {
      const Right right{column, vectors, begin, std::min(blocking_.inner_steps, blocking_.inner - begin)};
      take_right(arguments, right, tile);
      bring_right(arguments, right, ahead);
      run_tiles(tile, {left.values + begin * left.inner, left.row, left.inner, left.tile, left.cold}, count,
                vectors, column == 0 && left.cold, ahead);
      // Now the panel is near.
      if (sums) set_.sums[vectors - 1](tile.b, tile.b_inner, right.steps, arguments.column_sums + column);
      tile.start = tile.c;
      tile.start_row = tile.c_row;
      begin += right.steps;
    } while (begin < blocking_.inner);
  }

  void take_right(const MatmulArguments& arguments, const Right& right, Tile& tile) const {
    tile.inner = right.steps;
    tile.b = arguments.b + right.begin * blocking_.columns + right.column;
    tile.b_inner = blocking_.columns;
    if (!blocking_.packs_right) return;
    auto* const packed = reinterpret_cast<float*>(arguments.scratch);
    const std::size_t width = right.vectors * set_.lanes;
    if (spec_.transpose_b) {
      const float* const first = arguments.b + right.column * blocking_.inner + right.begin;
      pack_transposed(first, blocking_.inner, width, right.steps, packed, blocking_.panel);
    } else {
      pack_columns(tile.b, blocking_.columns, width, right.steps, packed, blocking_.panel);
    }
    tile.b = packed;
    tile.b_inner = blocking_.panel;
  }

  /// Asks for the next steps of this panel, after its last ones for the next panel.
  void bring_right(const MatmulArguments& arguments, const Right& right, Ahead& ahead) const {
    const std::size_t next = std::min(right.column + right.vectors * set_.lanes, blocking_.columns - 1);
    const std::size_t done = right.begin + right.steps;
    const auto row_bytes = static_cast<std::ptrdiff_t>(blocking_.columns * sizeof(float));
    if (spec_.transpose_b) {
      if (right.begin > 0) return;
      ahead.panel(arguments.b + next * blocking_.inner, pair_bytes,
                  blocking_.inner * blocking_.panel * sizeof(float) / pair_bytes);
    } else if (done < blocking_.inner) {
      ahead.panel(arguments.b + done * blocking_.columns + right.column, row_bytes,
                  std::min(right.steps, blocking_.inner - done));
    } else {
      // A row of the next panel begins within a line that this panel has asked for: the two after it.
      ahead.panel(arguments.b + next + cache_line / sizeof(float), row_bytes, blocking_.inner_steps);
    }
  }

  /// Rows in shares as even as can be.
  void run_tiles(Tile tile, const Left& left, std::size_t count, std::size_t vectors, bool cold,
                 Ahead& ahead) const {
    tile.a_row = left.row;
    tile.a_inner = left.inner;
    float* const c = tile.c;
    const float* const start = tile.start;
    const std::size_t tiles = tiles_of_rows(set_, count);
    for (std::size_t i = 0; i < tiles; ++i) {
      const std::size_t begin = count * i / tiles;
      const std::size_t end = count * (i + 1) / tiles;
      tile.a = left.values + (left.tile > 0 ? i * left.tile : begin * left.row);
      tile.c = c + begin * tile.c_row;
      if (start != nullptr) tile.start = start + begin * tile.start_row;
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
      ahead.rows(left.values + end + cache_line / sizeof(float) - 1, step, blocking_.inner);
    } else if (blocking_.inner > lead) {
      ahead.rows(left.values + lead * left.inner, step, blocking_.inner - lead);
    }
  }

  /// Fewer columns than a vector has lanes: `b`, the bias and the result pass through padded copies.
  void run_narrow(const MatmulArguments& arguments) const {
    const auto [rows, columns, inner] = std::tuple(blocking_.rows, blocking_.columns, blocking_.inner);
    auto* const packed = reinterpret_cast<float*>(arguments.scratch);
    const std::size_t width = set_.lanes;
    std::fill_n(packed, inner * width, 0.0F);
    if (spec_.transpose_b) {
      pack_transposed(arguments.b, inner, columns, inner, packed, width);
    } else {
      for (std::size_t k = 0; k < inner; ++k) {
        std::copy_n(arguments.b + k * columns, columns, packed + k * width);
      }
    }
    float* const result = packed + inner * width;
    float* const bias = result + set_.rows * width;
    std::fill_n(bias, width, 0.0F);
    if (spec_.bias) std::copy_n(arguments.bias, columns, bias);
    if (spec_.column_sums) {
      std::fill_n(result, width, 0.0F);
      set_.sums[0](packed, width, inner, result);
      std::copy_n(result, columns, arguments.column_sums);
    }
    Tile tile{};
    tile.b = packed;
    tile.b_inner = width;
    tile.start = bias;
    tile.inner = inner;
    tile.c = result;
    tile.c_row = width;
    Ahead ahead({}, inner, 0);
    for (std::size_t row = 0; row < rows; row += set_.rows) {
      const std::size_t count = std::min(set_.rows, rows - row);
      run_tiles(tile, {arguments.a + row * a_row_, a_row_, a_inner_, 0, false}, count, 1, false, ahead);
      for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(result + i * width, columns, arguments.output + (row + i) * columns);
      }
    }
  }

  MatmulSpec spec_;
  Isa isa_;
  const TileSet& set_;
  MatmulBlocking blocking_;
  std::size_t a_row_ = 0;
  std::size_t a_inner_ = 0;
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
