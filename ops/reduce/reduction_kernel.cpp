#include <algorithm>

#include "ops/isa_dispatch.hpp"
#include "ops/reduce/reduction.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

/// A run of neighbouring axes that are all reduced or all kept.
struct Run {
  std::size_t extent = 1;
  std::size_t output_stride = 0;  // 0: reduced
};

/// The axes as few runs as possible, outermost first; extents of 1 vanish.
std::vector<Run> runs_of(const Extents& input, const Axes& axes) {
  const std::vector<std::size_t> reduced = reduced_axes(axes, input.size());
  std::vector<Run> runs;  // innermost first
  std::size_t output_stride = 1;
  for (std::size_t axis = input.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(input[axis]);
    const bool is_reduced = std::binary_search(reduced.begin(), reduced.end(), axis);
    if (extent != 1 || axis == 0) {
      if (!runs.empty() && (runs.back().output_stride == 0) == is_reduced) {
        runs.back().extent *= extent;
      } else {
        runs.push_back({extent, is_reduced ? 0 : output_stride});
      }
    }
    if (!is_reduced) output_stride *= extent;
  }
  std::reverse(runs.begin(), runs.end());
  return runs;
}

struct Arguments {
  const float* x = nullptr;
  float* y = nullptr;
  std::size_t inputs = 0;   // elements of the rows covered
  std::size_t outputs = 0;  // elements of the result covered
  const std::vector<Run>* outer = nullptr;
  Run inner;
};

/// Where outer index `i` goes in the output.
[[gnu::always_inline]] inline std::size_t target(const std::vector<Run>& outer, std::size_t i) {
  std::size_t index = 0;
  for (std::size_t run = outer.size(); run-- > 1;) {
    index += i % outer[run].extent * outer[run].output_stride;
    i /= outer[run].extent;
  }
  return outer.empty() ? 0 : index + i * outer[0].output_stride;
}

/// Columns of this many or fewer are folded four rows side by side: one row would wait for the one before.
constexpr std::size_t narrow = 64;
constexpr std::size_t side_by_side = 4;

/// Folds `rows` rows of `columns` elements into y: row r in lane r mod 4, then the lanes in a tree.
template <class Fold>
[[gnu::always_inline]] inline void fold_narrow_rows(const float* x, std::size_t rows, std::size_t columns,
                                                    float* y) {
  float partial[side_by_side][narrow];
  for (auto& lane : partial) {
    for (std::size_t j = 0; j < columns; ++j) lane[j] = Fold::identity;
  }
  std::size_t row = 0;
  for (; row + side_by_side <= rows; row += side_by_side) {
    const float* const begin = x + row * columns;
#pragma GCC ivdep
    for (std::size_t j = 0; j < columns; ++j) {
      for (std::size_t lane = 0; lane < side_by_side; ++lane) {
        partial[lane][j] = Fold::combine(partial[lane][j], begin[lane * columns + j]);
      }
    }
  }
  for (std::size_t lane = 0; row < rows; ++row, ++lane) {
    for (std::size_t j = 0; j < columns; ++j) {
      partial[lane][j] = Fold::combine(partial[lane][j], x[row * columns + j]);
    }
  }
  for (std::size_t j = 0; j < columns; ++j) {
    y[j] = Fold::combine(Fold::combine(partial[0][j], partial[1][j]),
                         Fold::combine(partial[2][j], partial[3][j]));
  }
}

/// Folds `rows` rows of `columns` elements into y in their order, four in one pass: y is read and written
/// less often, and four streams of x come from memory at once.
template <class Fold>
[[gnu::always_inline]] inline void fold_wide_rows(const float* x, std::size_t rows, std::size_t columns,
                                                  float* y) {
  std::size_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const float* const a = x + row * columns;
    const float* const b = a + columns;
    const float* const c = b + columns;
    const float* const d = c + columns;
#pragma GCC ivdep
    for (std::size_t j = 0; j < columns; ++j) {
      const float two = Fold::combine(Fold::combine(y[j], a[j]), b[j]);
      y[j] = Fold::combine(Fold::combine(two, c[j]), d[j]);
    }
  }
  for (; row < rows; ++row) {
#pragma GCC ivdep
    for (std::size_t j = 0; j < columns; ++j) y[j] = Fold::combine(y[j], x[row * columns + j]);
  }
}

template <class Fold>
struct Body {
  [[gnu::always_inline]] static void run(const Arguments& a) noexcept {
    const std::size_t inner = std::min(a.inner.extent, a.inputs);
    const std::size_t count = inner == 0 ? 0 : a.inputs / inner;
    const std::vector<Run>& outer = *a.outer;
    // Each place of the output is met once: the axes before the last reduced ones are kept.
    const bool once = outer.size() <= 2 && !outer.empty() && outer.back().output_stride == 0;
    if (a.inner.output_stride != 0 && inner <= narrow && once && count > 0) {
      const std::size_t rows = std::min(outer.back().extent, count);
      for (std::size_t i = 0; i < count; i += rows) {
        fold_narrow_rows<Fold>(a.x + i * inner, rows, inner, a.y + target(outer, i));
      }
      return;
    }
    for (std::size_t i = 0; i < a.outputs; ++i) a.y[i] = Fold::identity;
    if (a.inner.output_stride != 0 && once) {
      const std::size_t rows = std::max<std::size_t>(1, std::min(outer.back().extent, count));
      for (std::size_t i = 0; i < count; i += rows) {
        fold_wide_rows<Fold>(a.x + i * inner, rows, inner, a.y + target(outer, i));
      }
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const float* const x = a.x + i * inner;
      float* const y = a.y + target(*a.outer, i);
      if (a.inner.output_stride == 0) {
        *y = Fold::combine(*y, fold<Fold>(x, inner));
      } else {
#pragma GCC ivdep
        for (std::size_t j = 0; j < inner; ++j) y[j] = Fold::combine(y[j], x[j]);
      }
    }
  }
};

template <class Fold>
std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  std::vector<Run> outer = runs_of(bound.inputs[0], bound.node.attributes.axes("axis"));
  Run inner;
  if (!outer.empty()) {
    inner = outer.back();
    outer.pop_back();
  } else {
    inner.output_stride = 1;
  }
  const std::vector<std::size_t> axes =
      reduced_axes(bound.node.attributes.axes("axis"), bound.inputs[0].size());
  const bool by_rows = axes.empty() || axes.front() != 0;
  const auto all_inputs = static_cast<std::size_t>(element_count(bound.inputs[0]));
  const auto all_outputs = static_cast<std::size_t>(element_count(bound.output));
  const std::size_t input_row = elements_per_row(bound.inputs[0]);
  const std::size_t output_row = elements_per_row(bound.output);
  const bool rows = by_rows && !bound.output.empty();
  return runtime::make_call(
      [=, function = IsaLoops<Body<Fold>, Arguments>::select(bound.isa)](const runtime::CallArguments& a) {
        const auto count = static_cast<std::size_t>(a.row_count);
        function({input_as<float>(a, 0), output_as<float>(a), rows ? count * input_row : all_inputs,
                  rows ? count * output_row : all_outputs, &outer, inner});
      });
}

}  // namespace

std::unique_ptr<runtime::Call> make_sum(const runtime::BoundNode& bound) {
  return make<SumFold>(bound);
}

std::unique_ptr<runtime::Call> make_max(const runtime::BoundNode& bound) {
  return make<MaxFold>(bound);
}

}  // namespace graphrun::ops
