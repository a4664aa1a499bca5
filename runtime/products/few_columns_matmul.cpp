#include "runtime/products/few_columns_matmul.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "runtime/machine/aligned.hpp"
#include "runtime/products/matmul_packing.hpp"
#include "runtime/products/matmul_tile.hpp"

namespace graphrun::runtime {
namespace {

/// Memory is asked for so many inner steps before it is used.
constexpr std::size_t steps_ahead = 24;

/// So many floats of one value as the widest panel has.
constexpr std::array<float, 32> panel_of(float value) {
  std::array<float, 32> values{};
  values.fill(value);
  return values;
}
constexpr std::array<float, 32> ones = panel_of(1.0F);
constexpr std::array<float, 32> minus_zeros = panel_of(-0.0F);

class FewColumnsMatmul final : public Matmul, public BoundMatmul {
 public:
  FewColumnsMatmul(const MatmulSpec& spec, Isa isa)
      : spec_(spec),
        isa_(isa),
        set_(tiles_of(isa)),
        rows_(static_cast<std::size_t>(spec.rows)),
        columns_(static_cast<std::size_t>(spec.columns)),
        inner_(static_cast<std::size_t>(spec.inner)),
        stored_row_(static_cast<std::size_t>(spec.a_stride > 0 ? spec.a_stride : spec.rows)),
        name_("few columns:" + std::string(to_string(isa))) {}

  std::unique_ptr<BoundMatmul> bind() const override {
    return std::make_unique<FewColumnsMatmul>(spec_, isa_);
  }
  const std::string& implementation() const override { return name_; }

  /// The transposed result of a panel, a panel of rows where they have to be transposed, and `b` with its
  /// bias.
  std::size_t scratch_bytes() const override {
    return (result_elements() + rows_elements() + left_elements()) * sizeof(float);
  }

  bool run(const MatmulArguments& arguments) noexcept override {
    auto* const result = reinterpret_cast<float*>(arguments.scratch);
    float* const rows = result + result_elements();
    Tile tile{};
    lay_left(arguments, rows + rows_elements(), tile);
    tile.c_row = panel();
    for_each_panel(set_, rows_, [&](std::size_t first, std::size_t vectors) {
      const std::size_t width = vectors * set_.lanes;
      if (spec_.transpose_a) {
        take_rows(arguments.a + first, tile);
      } else {
        pack_rows(arguments.a + first * inner_, width, rows, tile);
      }
      run_tiles(tile, result, vectors);
      store_transposed(result, width, arguments.output + first * columns_);
    });
    if (spec_.column_sums) sum_columns(tile, result, arguments.column_sums);
    activate(spec_, arguments.output, rows_ * columns_);
    return true;
  }

 private:
  std::size_t panel() const { return 2 * set_.lanes; }
  std::size_t steps() const { return inner_ + (spec_.bias ? 1 : 0); }
  std::size_t result_elements() const { return columns_ * panel(); }
  std::size_t rows_elements() const { return spec_.transpose_a ? 0 : steps() * panel(); }
  std::size_t left_elements() const { return spec_.bias ? steps() * columns_ : 0; }

  /// `b` is the left operand. A bias is one more inner step before the others: it times one, added to -0,
  /// which alone leaves the sign of a bias of -0.
  void lay_left(const MatmulArguments& arguments, float* packed, Tile& tile) const {
    tile.inner = steps();
    tile.a = arguments.b;
    tile.a_row = spec_.transpose_b ? inner_ : 1;
    tile.a_inner = spec_.transpose_b ? 1 : columns_;
    if (!spec_.bias) return;
    std::copy_n(arguments.bias, columns_, packed);
    for (std::size_t k = 0; k < inner_; ++k) {
      for (std::size_t j = 0; j < columns_; ++j) {
        packed[(k + 1) * columns_ + j] = arguments.b[j * tile.a_row + k * tile.a_inner];
      }
    }
    tile.a = packed;
    tile.a_row = 1;
    tile.a_inner = columns_;
    tile.start = minus_zeros.data();
  }

  /// Rows of `a` are the right operand. Stored transposed, they lie as they should.
  void take_rows(const float* a, Tile& tile) const {
    tile.b = a;
    tile.b_inner = stored_row_;
    tile.ahead = reinterpret_cast<const char*>(a + steps_ahead * stored_row_);
    tile.ahead_step = static_cast<std::ptrdiff_t>(stored_row_ * sizeof(float));
  }

  void pack_rows(const float* a, std::size_t width, float* packed, Tile& tile) const {
    tile.b = packed;
    tile.b_inner = panel();
    if (spec_.bias) {
      std::copy_n(ones.begin(), panel(), packed);
      packed += panel();
    }
    pack_transposed(a, inner_, width, inner_, packed, panel());
    // What the next panel is packed from.
    tile.ahead = reinterpret_cast<const char*>(a + width * inner_);
    tile.ahead_step = 2 * cache_line;
  }

  void run_tiles(Tile tile, float* result, std::size_t vectors) const {
    const float* const left = tile.a;
    for (std::size_t column = 0; column < columns_; column += set_.rows) {
      tile.a = left + column * tile.a_row;
      tile.c = result + column * tile.c_row;
      set_.tile(tile.a_row != 1, vectors, std::min(set_.rows, columns_ - column))(tile);
    }
  }

  void store_transposed(const float* result, std::size_t width, float* output) const {
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < columns_; ++j) output[i * columns_ + j] = result[j * panel() + i];
    }
  }

  /// Each column times ones, which is its sum.
  void sum_columns(Tile tile, float* result, float* sums) const {
    tile.b = ones.data();
    tile.b_inner = 0;
    run_tiles(tile, result, 1);
    for (std::size_t j = 0; j < columns_; ++j) sums[j] = result[j * panel()];
  }

  MatmulSpec spec_;
  Isa isa_;
  const TileSet& set_;
  std::size_t rows_;
  std::size_t columns_;
  std::size_t inner_;
  std::size_t stored_row_;  // of a transposed `a`
  std::string name_;
};

}  // namespace

bool has_few_columns(const MatmulSpec& spec, Isa isa) {
  const auto lanes = static_cast<std::int64_t>(tiles_of(isa).lanes);
  if (spec.rows < lanes || spec.columns >= lanes || spec.columns < 1) return false;
  // A bias and column sums come with one layout each.
  if (spec.transpose_a) return !spec.bias && !(spec.column_sums && spec.transpose_b);
  return 4 * spec.columns <= lanes && !spec.column_sums;
}

std::unique_ptr<Matmul> make_few_columns_matmul(const MatmulSpec& spec, Isa isa) {
  return std::make_unique<FewColumnsMatmul>(spec, isa);
}

}  // namespace graphrun::runtime
