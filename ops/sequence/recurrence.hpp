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
#include "ops/isa_dispatch.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"
#include "runtime/kernels/vector_math.hpp"
#include "runtime/products/matmul_tile.hpp"
#include "runtime/products/tiled_matmul.hpp"

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

/// The same in register tiles, of a matrix and a bias that were packed for them.
struct TiledProduct {
  const runtime::TileSet* tiles;
  const float* packed;  ///< panels of two vectors of columns, the last of one or two; zeros fill it up
  const float* bias;    ///< as long as they are together; null: none
  std::size_t inner;
  std::size_t columns;

  void operator()(const float* x, std::size_t x_row, std::size_t count, float* y) const noexcept;
};

/// Columns as whole vectors of any instruction set.
inline std::size_t padded(std::size_t columns) {
  constexpr std::size_t widest = 16;
  return (columns + widest - 1) / widest * widest;
}

/// From row to row of what a product reads and makes: rows at powers of two would push each other out of the
/// cache.
inline std::size_t row_apart(std::size_t columns) {
  constexpr std::size_t line = 16;
  return padded(columns) + line;
}

/// Makes a product ready to be run, with `room` for inner · padded(columns) numbers and a bias.
TiledProduct pack(const runtime::TileSet& tiles, const float* w, const float* bias, std::size_t inner,
                  std::size_t columns, float* room);

/// What the steps of some series need beside their operands.
template <class Float>
struct StepRoom {
  Float* h;  ///< the state that meets the matrix, [count, h_row]
  std::size_t h_row;
  Float* q;  ///< its part of the gates, [count, q_row]
  std::size_t q_row;
  // Of a gradient.
  Float* dq = nullptr;    ///< [count, q_row]
  Float* back = nullptr;  ///< what comes back through the product, [count, back_row]
  std::size_t back_row = 0;
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
    for (std::size_t j = 0; j < units; ++j) room.h[n * room.h_row + j] = states[n * row + j];
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
    product(room.h, room.h_row, count, room.q);
    for (std::size_t n = 0; n < count; ++n) {
      const Float* const old = before + n * before_row;
      Float* const after = series.output + n * series.output_row + time * width;
      const Float share = series.mask[n * series.mask_row + time];
      Cell::forward(s.units, series.p + n * series.p_row + time * Cell::gates * s.units,
                    room.q + n * room.q_row, old, after);
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
    product(room.h, room.h_row, count, room.q);
    for (std::size_t n = 0; n < count; ++n) {
      const Float share = series.mask[n * series.mask_row + time];
      const Float* const g = series.cotangent + n * series.states_row + time * width;
      Float* const left = room.left + n * width;
#pragma GCC ivdep
      for (std::size_t j = 0; j < width; ++j) room.arrived[j] = g[j] + left[j];
#pragma GCC ivdep
      for (std::size_t j = 0; j < width; ++j) room.made[j] = share * room.arrived[j];
      Cell::backward(s.units, series.p + n * series.p_row + time * gates, room.q + n * room.q_row,
                     before + n * before_row, room.made,
                     series.output + n * series.output_row + time * slope_row, room.dq + n * room.q_row,
                     left);
#pragma GCC ivdep
      for (std::size_t j = 0; j < width; ++j) left[j] += (1 - share) * room.arrived[j];
    }
    back(room.dq, room.q_row, count, room.back);
    for (std::size_t n = 0; n < count; ++n) {
#pragma GCC ivdep
      for (std::size_t j = 0; j < s.units; ++j) room.left[n * width + j] += room.back[n * room.back_row + j];
    }
  }
  for (std::size_t n = 0; n < count; ++n) {
    Float* const last = series.output + n * series.output_row + s.steps * slope_row;
    for (std::size_t j = 0; j < slope_row; ++j) last[j] = j < width ? room.left[n * width + j] : 0;
  }
}

// ---- References and kernels ------------------------------------------------------------------------------

/// How far it is from series to series, by the sizes of the operands.
template <class Float>
void set_rows(Series<Float>& series, std::span<const Extents> inputs, const Extents& output) {
  const auto row = [&](std::size_t i) { return inputs[i][0] == 1 ? 0 : elements_per_row(inputs[i]); };
  series.p_row = elements_per_row(inputs[0]);
  series.mask_row = row(3);
  series.start_row = row(4);
  series.states_row = inputs.size() > 5 ? elements_per_row(inputs[5]) : 0;
  series.output_row = elements_per_row(output);
}

template <class Float>
void turn_over(const Float* u, std::size_t rows, std::size_t columns, Float* turned) {
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) turned[j * rows + i] = u[i * columns + j];
}

/// The room that `count` series need, cut from one stretch of memory: `next` moves on.
template <class Cell, bool gradient, class Float>
[[gnu::always_inline]] inline StepRoom<Float> take_room(std::size_t units, std::size_t count, Float*& next) {
  const auto take = [&next](std::size_t numbers) {
    Float* const begin = next;
    next += padded(numbers);
    return begin;
  };
  const std::size_t gates = Cell::gates * units;
  StepRoom<Float> room;
  room.h_row = row_apart(units);
  room.h = take(count * room.h_row);
  room.q_row = row_apart(gates);
  room.q = take(count * room.q_row);
  if constexpr (gradient) {
    room.dq = take(count * room.q_row);
    room.back_row = row_apart(units);
    room.back = take(count * room.back_row);
    room.left = take(count * Cell::states * units);
    room.arrived = take(Cell::states * units);
    room.made = take(Cell::states * units);
  }
  return room;
}

template <class Cell, bool gradient>
std::size_t room_numbers(std::size_t units, std::size_t count) {
  const std::size_t gates = Cell::gates * units;
  const std::size_t width = Cell::states * units;
  const std::size_t forward = count * (row_apart(units) + row_apart(gates));
  if (!gradient) return forward;
  return forward + count * (row_apart(gates) + row_apart(units)) + padded(count * width) + 2 * padded(width);
}

template <class Cell, bool gradient>
void recurrence_reference(const ReferenceContext& context) {
  const auto values = [&](std::size_t i) { return context.inputs[i]->values.data(); };
  std::vector<Extents> extents;
  for (const HostTensor* input : context.inputs) extents.push_back(input->extents);
  const RecurrenceSizes s = recurrence_sizes(extents[0], extents[1], context.node.attributes);
  Series<double> series{
      .p = values(0), .mask = values(3), .start = values(4), .output = context.output.values.data()};
  if constexpr (gradient) {
    series.states = values(5);
    series.cotangent = values(6);
  }
  set_rows(series, extents, context.output.extents);
  const std::size_t gates = Cell::gates * s.units;
  std::vector<double> numbers(room_numbers<Cell, gradient>(s.units, 1));
  double* next = numbers.data();
  const StepRoom<double> room = take_room<Cell, gradient>(s.units, 1, next);
  std::vector<double> turned(s.units * gates);
  turn_over(values(1), s.units, gates, turned.data());
  const PlainProduct<double> product{values(1), values(2), s.units, gates, room.q_row};
  const PlainProduct<double> back{turned.data(), nullptr, gates, s.units, room.back_row};
  for (std::size_t n = 0; n < static_cast<std::size_t>(extents[0][0]); ++n) {
    if constexpr (gradient)
      run_gradient<Cell>(s, series.from(n), 1, product, back, room);
    else
      run_steps<Cell>(s, series.from(n), 1, product, room);
  }
}

struct RecurrenceArguments {
  const RecurrenceSizes* sizes;
  const Series<float>* series;
  std::size_t count;
  const float* u;
  const float* b;
  float* room;
  const runtime::TileSet* tiles;  ///< null: an instruction set without them
};

/// So many series at a time that what they need stays in the second-level cache.
inline constexpr std::size_t series_together = 64;

template <class Cell, bool gradient>
struct RecurrenceLoop {
  [[gnu::always_inline]] static void run(const RecurrenceArguments& a) noexcept {
    const std::size_t units = a.sizes->units;
    const std::size_t gates = Cell::gates * units;
    float* next = a.room;
    const StepRoom<float> room = take_room<Cell, gradient>(units, std::min(a.count, series_together), next);
    float* const first = next;
    float* const second = first + packed_numbers(units, gates);
    float* const turned = second + (gradient ? packed_numbers(gates, units) : 0);
    if constexpr (gradient) turn_over(a.u, units, gates, turned);
    if (a.tiles == nullptr) {
      const PlainProduct<float> product{a.u, a.b, units, gates, room.q_row};
      blocks(a, product, PlainProduct<float>{turned, nullptr, gates, units, room.back_row}, room);
    } else {
      const TiledProduct product = pack(*a.tiles, a.u, a.b, units, gates, first);
      blocks(a, product, gradient ? pack(*a.tiles, turned, nullptr, gates, units, second) : product, room);
    }
  }

  /// Room for a packed matrix and a bias.
  static std::size_t packed_numbers(std::size_t inner, std::size_t columns) {
    return (inner + 1) * padded(columns);
  }

  static std::size_t numbers(std::size_t units) {
    const std::size_t gates = Cell::gates * units;
    const std::size_t back = gradient ? packed_numbers(gates, units) + gates * units : 0;
    return room_numbers<Cell, gradient>(units, series_together) + packed_numbers(units, gates) + back;
  }

 private:
  template <class Product>
  [[gnu::always_inline]] static void blocks(const RecurrenceArguments& a, const Product& product,
                                            const Product& back, const StepRoom<float>& room) {
    for (std::size_t n = 0; n < a.count; n += series_together) {
      const std::size_t count = std::min(series_together, a.count - n);
      if constexpr (gradient)
        run_gradient<Cell>(*a.sizes, a.series->from(n), count, product, back, room);
      else
        run_steps<Cell>(*a.sizes, a.series->from(n), count, product, room);
    }
  }
};

template <class Cell, bool gradient>
class RecurrenceCall final : public runtime::Call {
  using Loop = RecurrenceLoop<Cell, gradient>;

 public:
  explicit RecurrenceCall(const runtime::BoundNode& bound)
      : sizes_(recurrence_sizes(bound.inputs[0], bound.inputs[1], bound.node.attributes)),
        tiles_(runtime::has_tiles(bound.isa) ? &runtime::tiles_of(bound.isa) : nullptr),
        function_(IsaLoops<Loop, RecurrenceArguments>::select(bound.isa)) {
    set_rows(series_, bound.inputs, bound.output);
    if (bound.input_types[3].shape[0].is_number(1)) series_.mask_row = 0;
    if (bound.input_types[4].shape[0].is_number(1)) series_.start_row = 0;
  }

  void run(const runtime::CallArguments& a) const noexcept override {
    Series<float> series = series_;
    series.p = input_as<float>(a, 0);
    series.mask = input_as<float>(a, 3);
    series.start = input_as<float>(a, 4);
    series.output = output_as<float>(a);
    if constexpr (gradient) {
      series.states = input_as<float>(a, 5);
      series.cotangent = input_as<float>(a, 6);
    }
    function_({&sizes_, &series, static_cast<std::size_t>(a.row_count), input_as<float>(a, 1),
               input_as<float>(a, 2), reinterpret_cast<float*>(a.scratch), tiles_});
  }

  std::size_t scratch_bytes() const override { return Loop::numbers(sizes_.units) * sizeof(float); }

 private:
  RecurrenceSizes sizes_;
  Series<float> series_;
  const runtime::TileSet* tiles_;
  typename IsaLoops<Loop, RecurrenceArguments>::Function function_;
};

/// What the file of a cell says of its op.
struct RecurrenceWords {
  std::string name;
  std::string doc;
  std::string formula;
  std::string shapes;
};

template <class Cell>
inline constexpr CellSizes sizes_of_cell = {Cell::gates, Cell::states};

/// A cell along a series. Its gradient op has the same name and "_gradient" behind it.
template <class Cell>
Op recurrence(RecurrenceWords words) {
  OpDef op;
  op.name = std::move(words.name);
  op.doc = std::move(words.doc);
  op.formula = std::move(words.formula);
  op.shapes = std::move(words.shapes);
  op.inputs = recurrence_operands();
  op.attributes = recurrence_attributes();
  op.infer = [](const InferContext& context) { return infer_recurrence(context, sizes_of_cell<Cell>); };
  op.axes = recurrence_axes;
  op.reference = recurrence_reference<Cell, false>;
  constexpr Vjp vjp = [](VjpContext& context) { return recurrence_vjp(context, sizes_of_cell<Cell>); };
  op.gradient = vjp;
  op.cost = recurrence_cost;
  return {std::move(op), {.make = [](const runtime::BoundNode& bound) -> std::unique_ptr<runtime::Call> {
            return std::make_unique<RecurrenceCall<Cell, false>>(bound);
          }}};
}

template <class Cell>
Op recurrence_gradient(const std::string& of) {
  OpDef op;
  op.name = of + "_gradient";
  op.doc = "The gradient of " + of + " by what its gates are given, and by the start in a row more.";
  op.formula = "y[t] = dL/d(gates of step t)";
  op.shapes = "… -> [n, steps + 1, 4 units]";
  op.inputs = recurrence_operands();
  op.inputs.push_back({"y", "the states"});
  op.inputs.push_back({"g", "their cotangent"});
  op.attributes = recurrence_attributes();
  op.infer = [](const InferContext& context) {
    return infer_recurrence_gradient(context, sizes_of_cell<Cell>);
  };
  op.axes = recurrence_axes;
  op.reference = recurrence_reference<Cell, true>;
  op.gradient = NotDifferentiable{"the gradient of a recurrence has none of its own"};
  op.cost = recurrence_gradient_cost;
  op.internal = true;
  return {std::move(op), {.make = [](const runtime::BoundNode& bound) -> std::unique_ptr<runtime::Call> {
            return std::make_unique<RecurrenceCall<Cell, true>>(bound);
          }}};
}

}  // namespace graphrun::ops
