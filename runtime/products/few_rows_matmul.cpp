#include "runtime/products/few_rows_matmul.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace graphrun::runtime {
namespace {

constexpr std::size_t most_rows = 3;
/// Memory is asked for so many rows of `b` before it is used.
constexpr std::size_t rows_ahead = 8;

/// c = bias + a · b for some columns of all rows.
struct Panel {
  const float* a;
  const float* b;
  float* c;
  const float* bias;    ///< of its columns; null: none
  std::size_t inner;    ///< also from one row of `a` to the next
  std::size_t columns;  ///< from one row of `b` and `c` to the next
};

template <class Vector, std::size_t rows, std::size_t vectors>
[[gnu::always_inline]] inline void run_panel(const Panel& panel) noexcept {
  constexpr std::size_t lanes = sizeof(Vector) / sizeof(float);
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  std::array<std::array<Vector, vectors>, rows> sum{};
  if (panel.bias != nullptr) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) {
#pragma GCC unroll 3
      for (std::size_t row = 0; row < rows; ++row) {
        sum[row][v] = reinterpret_cast<const Unaligned*>(panel.bias + v * lanes)[0];
      }
    }
  }
  const float* a = panel.a;
  const float* b = panel.b;
  const std::size_t inner = panel.inner;
  const std::size_t columns = panel.columns;
  for (std::size_t k = 0; k < inner; ++k) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) {
      const Vector right = reinterpret_cast<const Unaligned*>(b + v * lanes)[0];
#pragma GCC unroll 3
      // Contraction is on in this file: this is one fused multiply-add.
      for (std::size_t row = 0; row < rows; ++row) sum[row][v] += a[row * inner + k] * right;
    }
    const float* const ahead = b + rows_ahead * columns;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) __builtin_prefetch(ahead + v * lanes);
    b += columns;
  }
#pragma GCC unroll 3
  for (std::size_t row = 0; row < rows; ++row) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) {
      reinterpret_cast<Unaligned*>(panel.c + row * columns + v * lanes)[0] = sum[row][v];
    }
  }
}

using PanelFunction = void (*)(const Panel&) noexcept;

struct Avx2 {
  using Vector [[gnu::vector_size(32)]] = float;
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t wide = 4;  // at most 12 sums in 16 registers
  template <std::size_t rows, std::size_t vectors>
  [[gnu::target("avx2,fma")]] static void panel(const Panel& panel) noexcept {
    run_panel<Vector, rows, vectors>(panel);
  }
};

struct Avx512 {
  using Vector [[gnu::vector_size(64)]] = float;
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t wide = 8;  // at most 24 sums in 32 registers
  template <std::size_t rows, std::size_t vectors>
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")]] static void panel(
      const Panel& panel) noexcept {
    run_panel<Vector, rows, vectors>(panel);
  }
};

/// The panels of an instruction set for a number of rows.
struct PanelSet {
  PanelFunction wide = nullptr;
  PanelFunction narrow = nullptr;  ///< one vector
  std::size_t wide_columns = 0;
  std::size_t narrow_columns = 0;
};

template <class Set, std::size_t rows>
PanelSet panel_set() {
  return {Set::template panel<rows, Set::wide>, Set::template panel<rows, 1>, Set::wide * Set::lanes,
          Set::lanes};
}

template <class Set>
PanelSet panels_of(std::int64_t rows) {
  return rows == 1 ? panel_set<Set, 1>() : rows == 2 ? panel_set<Set, 2>() : panel_set<Set, 3>();
}

class FewRowsMatmul final : public Matmul, public BoundMatmul {
 public:
  FewRowsMatmul(const MatmulSpec& spec, Isa isa)
      : spec_(spec),
        isa_(isa),
        panels_(isa == Isa::avx512 ? panels_of<Avx512>(spec.rows) : panels_of<Avx2>(spec.rows)),
        columns_(static_cast<std::size_t>(spec.columns)),
        name_("few rows:" + std::string(to_string(isa))) {}

  std::unique_ptr<BoundMatmul> bind() const override { return std::make_unique<FewRowsMatmul>(spec_, isa_); }
  std::size_t scratch_bytes() const override { return 0; }
  const std::string& implementation() const override { return name_; }

  bool run(const MatmulArguments& arguments) noexcept override {
    std::size_t column = 0;
    for (; column + panels_.wide_columns <= columns_; column += panels_.wide_columns) {
      panels_.wide(panel(arguments, column));
    }
    // The last panel overlaps its neighbour rather than being cut, and computes the same bits once more.
    for (; column < columns_; column += panels_.narrow_columns) {
      panels_.narrow(panel(arguments, std::min(column, columns_ - panels_.narrow_columns)));
    }
    activate(spec_, arguments.output, static_cast<std::size_t>(spec_.rows) * columns_);
    return true;
  }

 private:
  Panel panel(const MatmulArguments& arguments, std::size_t column) const {
    return {arguments.a,
            arguments.b + column,
            arguments.output + column,
            spec_.bias ? arguments.bias + column : nullptr,
            static_cast<std::size_t>(spec_.inner),
            columns_};
  }

  MatmulSpec spec_;
  Isa isa_;
  PanelSet panels_;
  std::size_t columns_;
  std::string name_;
};

}  // namespace

bool has_few_rows(const MatmulSpec& spec, Isa isa) {
  const auto lanes = static_cast<std::int64_t>(isa == Isa::avx512 ? Avx512::lanes : Avx2::lanes);
  return spec.rows >= 1 && spec.rows <= static_cast<std::int64_t>(most_rows) && !spec.transpose_a &&
         !spec.transpose_b && spec.columns >= lanes;
}

std::unique_ptr<Matmul> make_few_rows_matmul(const MatmulSpec& spec, Isa isa) {
  return std::make_unique<FewRowsMatmul>(spec, isa);
}

}  // namespace graphrun::runtime
