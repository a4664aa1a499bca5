/// \file
/// What recurrent ops share: states of `units` numbers each that go from step to step of a series, the
/// products that meet them, masks, and both directions. Reference and kernel are the same steps in f64 and in
/// f32; a cell says what one step does with the numbers of its units.
///
/// Operands: p [n, steps, gates units], what each step's input gives to the gates; u [units, gates units] and
/// b [gates units], what the state before gives; mask [n or 1, steps], the share of the new state (0 keeps
/// the state as it was); start [n or 1, states units]. The result is [n, steps, states units], h first.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {

/// How many numbers a unit has in each operand of a cell. Its gradient has `slopes` of them for each step.
struct CellSizes {
  std::int64_t gates;
  std::int64_t states;
};
inline constexpr std::int64_t slopes = 4;
inline constexpr std::size_t slope_count = 4;

/// The type of the states. Throws an OpError when operands do not fit.
Type infer_recurrence(const InferContext& context, CellSizes cell);
/// The type of the gradient by what the gates are given, which has one row of `start`'s more than steps.
Type infer_recurrence_gradient(const InferContext& context, CellSizes cell);

std::vector<AxisMap> recurrence_axes(const AxesContext& context);
std::vector<OperandDeclaration> recurrence_operands();
std::vector<AttributeDeclaration> recurrence_attributes();

/// The gradients of a recurrence from what its gradient op makes.
Gradients recurrence_vjp(VjpContext& context, CellSizes cell);

Cost recurrence_cost(const CostContext& context);
Cost recurrence_gradient_cost(const CostContext& context);

// ---- The steps -----------------------------------------------------------------------------------------

[[gnu::always_inline]] inline float sigmoid_of(float x) {
  return runtime::vector_sigmoid(x);
}
[[gnu::always_inline]] inline float tanh_of(float x) {
  return runtime::vector_tanh(x);
}
inline double sigmoid_of(double x) {
  return 1 / (1 + std::exp(-x));
}
inline double tanh_of(double x) {
  return std::tanh(x);
}

struct RecurrenceSizes {
  std::size_t steps = 0;
  std::size_t units = 0;
  bool reverse = false;
  [[gnu::always_inline]] std::size_t time(std::size_t step) const {
    return reverse ? steps - 1 - step : step;
  }
};
RecurrenceSizes recurrence_sizes(const Extents& p, const Extents& u, const Attributes& attributes);

/// The operands of some series, one below the other, at the first of them; of a gradient also `states`, what
/// the forward op made, and `cotangent` of that. How far it is from one series to the next: 0 for what all
/// have in common.
template <class Float>
struct Series {
  const Float* p = nullptr;
  const Float* mask = nullptr;
  const Float* start = nullptr;
  const Float* states = nullptr;
  const Float* cotangent = nullptr;
  Float* output = nullptr;
  std::size_t p_row = 0, mask_row = 0, start_row = 0, states_row = 0, output_row = 0;

  [[gnu::always_inline]] Series from(std::size_t n) const {
    Series later = *this;
    later.p += n * p_row;
    later.mask += n * mask_row;
    later.start += n * start_row;
    if (states != nullptr) later.states += n * states_row;
    if (states != nullptr) later.cotangent += n * states_row;
    later.output += n * output_row;
    return later;
  }
};

/// y[n, j] = bias[j] + sum over i of x[n, i] w[i, j], i ascending, row by row.
template <class Float>
struct PlainProduct {
  const Float* w;
  const Float* bias;  ///< null: none
  std::size_t inner;
  std::size_t columns;
  std::size_t y_row;

  [[gnu::always_inline]] void operator()(const Float* x, std::size_t x_row, std::size_t count,
                                         Float* y) const {
    for (std::size_t n = 0; n < count; ++n) {
      Float* const sums = y + n * y_row;
      for (std::size_t j = 0; j < columns; ++j) sums[j] = bias == nullptr ? 0 : bias[j];
      for (std::size_t i = 0; i < inner; ++i) {
        const Float factor = x[n * x_row + i];
        const Float* const row = w + i * columns;
#pragma GCC ivdep
        for (std::size_t j = 0; j < columns; ++j) sums[j] += factor * row[j];
      }
    }
  }
};

/// From one row to the next of what the products read and make.
struct StepRows {
  std::size_t h = 0;
  std::size_t q = 0;
  std::size_t dq = 0;
  std::size_t back = 0;
};

/// What the steps of some series need beside their operands.
template <class Float>
struct StepRoom {
  StepRows row;
  Float* h;  ///< the state that meets the matrix, [count, row.h]
  Float* q;  ///< its part of the gates, [count, row.q]
  // Of a gradient.
  Float* dq = nullptr;       ///< [count, row.dq]
  Float* back = nullptr;     ///< what comes back through the product, [count, row.back]
  Float* left = nullptr;     ///< for the state before, [count, width]
  Float* arrived = nullptr;  ///< [width], at the state after a step
  Float* made = nullptr;     ///< [width]
};

/// The states of some series, which lie as far apart as series do, beside each other.
template <class Float>
[[gnu::always_inline]] inline void gather_states(const Float* states, std::size_t row, std::size_t count,
                                                 std::size_t units, const StepRoom<Float>& room) {
  for (std::size_t n = 0; n < count; ++n) {
#pragma GCC ivdep
    for (std::size_t j = 0; j < units; ++j) room.h[n * room.row.h + j] = states[n * row + j];
  }
}

/// Of some series: step by step, all of them by one product.
template <class Cell, class Float, class Product>
[[gnu::always_inline]] inline void run_steps(const RecurrenceSizes& s, const Series<Float>& series,
                                             std::size_t count, const Product& product,
                                             const StepRoom<Float>& room) {
  const std::size_t width = Cell::states * s.units;
  for (std::size_t step = 0; step < s.steps; ++step) {
    const std::size_t time = s.time(step);
    const bool begins = step == 0;
    const Float* const before = begins ? series.start : series.output + s.time(step - 1) * width;
    const std::size_t before_row = begins ? series.start_row : series.output_row;
    gather_states(before, before_row, count, s.units, room);
    product(room.h, room.row.h, count, room.q);
    for (std::size_t n = 0; n < count; ++n) {
      const Float* const old = before + n * before_row;
      Float* const after = series.output + n * series.output_row + time * width;
      const Float share = series.mask[n * series.mask_row + time];
      Cell::forward(s.units, series.p + n * series.p_row + time * Cell::gates * s.units,
                    room.q + n * room.row.q, old, after);
      if (share == 1) continue;
#pragma GCC ivdep
      for (std::size_t j = 0; j < width; ++j) after[j] = share * after[j] + (1 - share) * old[j];
    }
  }
}

/// Writes the slopes of each step, then the gradient by `start`. `back` is the product with u transposed.
template <class Cell, class Float, class Product>
[[gnu::always_inline]] inline void run_gradient(const RecurrenceSizes& s, const Series<Float>& series,
                                                std::size_t count, const Product& product,
                                                const Product& back, const StepRoom<Float>& room) {
  const std::size_t gates = Cell::gates * s.units;
  const std::size_t width = Cell::states * s.units;
  const std::size_t slope_row = slope_count * s.units;
  for (std::size_t j = 0; j < count * width; ++j) room.left[j] = 0;
  for (std::size_t step = s.steps; step-- > 0;) {
    const std::size_t time = s.time(step);
    const bool begins = step == 0;
    const Float* const before = begins ? series.start : series.states + s.time(step - 1) * width;
    const std::size_t before_row = begins ? series.start_row : series.states_row;
    gather_states(before, before_row, count, s.units, room);
    product(room.h, room.row.h, count, room.q);
    for (std::size_t n = 0; n < count; ++n) {
      const Float share = series.mask[n * series.mask_row + time];
      const Float* const g = series.cotangent + n * series.states_row + time * width;
      Float* const left = room.left + n * width;
#pragma GCC ivdep
      for (std::size_t j = 0; j < width; ++j) room.arrived[j] = g[j] + left[j];
#pragma GCC ivdep
      for (std::size_t j = 0; j < width; ++j) room.made[j] = share * room.arrived[j];
      Cell::backward(s.units, series.p + n * series.p_row + time * gates, room.q + n * room.row.q,
                     before + n * before_row, room.made,
                     series.output + n * series.output_row + time * slope_row, room.dq + n * room.row.dq,
                     left);
#pragma GCC ivdep
      for (std::size_t j = 0; j < width; ++j) left[j] += (1 - share) * room.arrived[j];
    }
    back(room.dq, room.row.dq, count, room.back);
    for (std::size_t n = 0; n < count; ++n) {
#pragma GCC ivdep
      for (std::size_t j = 0; j < s.units; ++j) room.left[n * width + j] += room.back[n * room.row.back + j];
    }
  }
  for (std::size_t n = 0; n < count; ++n) {
    Float* const last = series.output + n * series.output_row + s.steps * slope_row;
    for (std::size_t j = 0; j < slope_row; ++j) last[j] = j < width ? room.left[n * width + j] : 0;
  }
}

}  // namespace graphrun::ops
