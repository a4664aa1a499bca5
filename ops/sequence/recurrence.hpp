/// \file
/// What recurrent ops share: states of `units` numbers each that go from step to step of a series, the
/// products that meet them, masks, and both directions. Reference and kernel are the same steps in f64 and in
/// f32; a cell says what one step does with the numbers of its units.
///
/// Operands: p [n, steps, gates units], what each step's input gives to the gates; u [units, gates units] and
/// b [gates units], what the state before gives; mask [n or 1, steps], the share of the new state (0 keeps
/// the state as it was); start [n or 1, states units]. The result is [n, steps, states units], h first.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ops/declaration.hpp"
#include "ops/isa_dispatch.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"
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
Gradients recurrence_vjp(VjpContext& context, CellSizes cell, const char* gradient_op);

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

/// One series. Of a gradient also `states`, what the forward op made of it, and `cotangent` of that.
template <class Float>
struct Series {
  const Float* p = nullptr;
  const Float* mask = nullptr;
  const Float* start = nullptr;
  const Float* states = nullptr;
  const Float* cotangent = nullptr;
  Float* output = nullptr;
};

/// sums[j] += sum over i of x[i] w[i, j], i ascending.
template <class Float>
[[gnu::always_inline]] inline void add_product(const Float* x, const Float* w, std::size_t rows,
                                               std::size_t columns, Float* sums) {
  for (std::size_t i = 0; i < rows; ++i) {
    const Float factor = x[i];
    const Float* const row = w + i * columns;
#pragma GCC ivdep
    for (std::size_t j = 0; j < columns; ++j) sums[j] += factor * row[j];
  }
}

/// What the state before gives to the gates.
template <class Cell, class Float>
[[gnu::always_inline]] inline void recurrent_part(const RecurrenceSizes& s, const Float* before,
                                                  const Float* u, const Float* b, Float* q) {
  const std::size_t gates = Cell::gates * s.units;
  for (std::size_t j = 0; j < gates; ++j) q[j] = b[j];
  add_product(before, u, s.units, gates, q);
}

/// `q` is room for the gates of one step.
template <class Cell, class Float>
[[gnu::always_inline]] inline void run_steps(const RecurrenceSizes& s, const Float* u, const Float* b,
                                             const Series<Float>& series, Float* q) {
  const std::size_t width = Cell::states * s.units;
  const Float* before = series.start;
  for (std::size_t step = 0; step < s.steps; ++step) {
    const std::size_t time = s.time(step);
    Float* const after = series.output + time * width;
    recurrent_part<Cell>(s, before, u, b, q);
    Cell::forward(s.units, series.p + time * Cell::gates * s.units, q, before, after);
    const Float share = series.mask[time];
#pragma GCC ivdep
    for (std::size_t j = 0; j < width; ++j) after[j] = share * after[j] + (1 - share) * before[j];
    before = after;
  }
}

/// Room for one step of the gradient, in numbers.
template <class Cell>
std::size_t gradient_room(std::size_t units) {
  return (2 * Cell::gates + 3 * Cell::states) * units;
}

/// Writes the slopes of each step, then the gradient by `start`. `turned` is u transposed.
template <class Cell, class Float>
[[gnu::always_inline]] inline void run_gradient(const RecurrenceSizes& s, const Float* u, const Float* turned,
                                                const Float* b, const Series<Float>& series, Float* room) {
  const std::size_t gates = Cell::gates * s.units;
  const std::size_t width = Cell::states * s.units;
  Float* const q = room;
  Float* const dq = q + gates;
  Float* const arrived = dq + gates;  // at the state after a step
  Float* const made = arrived + width;
  Float* const left = made + width;  // for the state before it
  for (std::size_t j = 0; j < width; ++j) left[j] = 0;
  for (std::size_t step = s.steps; step-- > 0;) {
    const std::size_t time = s.time(step);
    const Float* const before = step == 0 ? series.start : series.states + s.time(step - 1) * width;
    const Float share = series.mask[time];
    const Float* const g = series.cotangent + time * width;
#pragma GCC ivdep
    for (std::size_t j = 0; j < width; ++j) arrived[j] = g[j] + left[j];
#pragma GCC ivdep
    for (std::size_t j = 0; j < width; ++j) made[j] = share * arrived[j];
    recurrent_part<Cell>(s, before, u, b, q);
    Cell::backward(s.units, series.p + time * gates, q, before, made,
                   series.output + time * slope_count * s.units, dq, left);
#pragma GCC ivdep
    for (std::size_t j = 0; j < width; ++j) left[j] += (1 - share) * arrived[j];
    add_product(dq, turned, gates, s.units, left);
  }
  Float* const last = series.output + s.steps * slope_count * s.units;
  for (std::size_t j = 0; j < slope_count * s.units; ++j) last[j] = j < width ? left[j] : 0;
}

// ---- References and kernels ------------------------------------------------------------------------------

/// The series of number `n` among operands p, mask, start and, for a gradient, states and cotangent; those
/// that are the same for all have a row of 0.
template <class Float>
struct SeriesRows {
  Series<Float> first;
  std::size_t p = 0, mask = 0, start = 0, states = 0, output = 0;

  [[gnu::always_inline]] Series<Float> at(std::size_t n) const {
    return {first.p + n * p,
            first.mask + n * mask,
            first.start + n * start,
            first.states == nullptr ? nullptr : first.states + n * states,
            first.cotangent == nullptr ? nullptr : first.cotangent + n * states,
            first.output + n * output};
  }
};

/// Sets the rows by the sizes of the operands.
template <class Float>
void set_rows(SeriesRows<Float>& rows, std::span<const Extents> inputs, const Extents& output) {
  const auto row = [&](std::size_t i) { return inputs[i][0] == 1 ? 0 : elements_per_row(inputs[i]); };
  rows.p = elements_per_row(inputs[0]);
  rows.mask = row(3);
  rows.start = row(4);
  rows.states = inputs.size() > 5 ? elements_per_row(inputs[5]) : 0;
  rows.output = elements_per_row(output);
}

template <class Float>
std::vector<Float> turned_over(const Float* u, std::size_t rows, std::size_t columns) {
  std::vector<Float> result(rows * columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) result[j * rows + i] = u[i * columns + j];
  return result;
}

template <class Cell, bool gradient>
void recurrence_reference(const ReferenceContext& context) {
  const auto values = [&](std::size_t i) { return context.inputs[i]->values.data(); };
  std::vector<Extents> extents;
  for (const HostTensor* input : context.inputs) extents.push_back(input->extents);
  const RecurrenceSizes s = recurrence_sizes(extents[0], extents[1], context.node.attributes);
  SeriesRows<double> rows{.first = {values(0), values(3), values(4), gradient ? values(5) : nullptr,
                                    gradient ? values(6) : nullptr, context.output.values.data()}};
  set_rows(rows, extents, context.output.extents);
  const std::vector<double> turned = turned_over(values(1), s.units, Cell::gates * s.units);
  std::vector<double> room(gradient_room<Cell>(s.units));
  for (std::size_t n = 0; n < static_cast<std::size_t>(extents[0][0]); ++n) {
    if constexpr (gradient)
      run_gradient<Cell>(s, values(1), turned.data(), values(2), rows.at(n), room.data());
    else
      run_steps<Cell>(s, values(1), values(2), rows.at(n), room.data());
  }
}

struct RecurrenceArguments {
  const RecurrenceSizes* sizes;
  const SeriesRows<float>* rows;
  std::size_t count;
  const float* u;
  const float* b;
  float* room;
};

template <class Cell, bool gradient>
struct RecurrenceLoop {
  [[gnu::always_inline]] static void run(const RecurrenceArguments& a) noexcept {
    const RecurrenceSizes& s = *a.sizes;
    const std::size_t gates = Cell::gates * s.units;
    float* const turned = a.room;
    if constexpr (gradient)
      for (std::size_t i = 0; i < s.units; ++i)
        for (std::size_t j = 0; j < gates; ++j) turned[j * s.units + i] = a.u[i * gates + j];
    for (std::size_t n = 0; n < a.count; ++n) {
      if constexpr (gradient)
        run_gradient<Cell>(s, a.u, turned, a.b, a.rows->at(n), a.room + s.units * gates);
      else
        run_steps<Cell>(s, a.u, a.b, a.rows->at(n), a.room);
    }
  }
};

template <class Cell, bool gradient>
class RecurrenceCall final : public runtime::Call {
 public:
  explicit RecurrenceCall(const runtime::BoundNode& bound)
      : sizes_(recurrence_sizes(bound.inputs[0], bound.inputs[1], bound.node.attributes)),
        function_(IsaLoops<RecurrenceLoop<Cell, gradient>, RecurrenceArguments>::select(bound.isa)) {
    set_rows(rows_, bound.inputs, bound.output);
    const std::vector<Shape> shapes = {bound.input_types[3].shape, bound.input_types[4].shape};
    if (shapes[0][0].is_number(1)) rows_.mask = 0;
    if (shapes[1][0].is_number(1)) rows_.start = 0;
  }

  void run(const runtime::CallArguments& a) const noexcept override {
    SeriesRows<float> rows = rows_;
    rows.first = {input_as<float>(a, 0),
                  input_as<float>(a, 3),
                  input_as<float>(a, 4),
                  gradient ? input_as<float>(a, 5) : nullptr,
                  gradient ? input_as<float>(a, 6) : nullptr,
                  output_as<float>(a)};
    function_({&sizes_, &rows, static_cast<std::size_t>(a.row_count), input_as<float>(a, 1),
               input_as<float>(a, 2), reinterpret_cast<float*>(a.scratch)});
  }

  std::size_t scratch_bytes() const override {
    const std::size_t turned = gradient ? sizes_.units * Cell::gates * sizes_.units : 0;
    return (turned + gradient_room<Cell>(sizes_.units)) * sizeof(float);
  }

 private:
  RecurrenceSizes sizes_;
  SeriesRows<float> rows_;
  typename IsaLoops<RecurrenceLoop<Cell, gradient>, RecurrenceArguments>::Function function_;
};

/// An op from what its file says of its meaning.
template <class Cell>
Op recurrence(OpDef op) {
  op.inputs = recurrence_operands();
  op.attributes = recurrence_attributes();
  op.axes = recurrence_axes;
  op.reference = recurrence_reference<Cell, false>;
  op.cost = recurrence_cost;
  return {std::move(op), {.make = [](const runtime::BoundNode& bound) -> std::unique_ptr<runtime::Call> {
            return std::make_unique<RecurrenceCall<Cell, false>>(bound);
          }}};
}

template <class Cell>
Op recurrence_gradient(OpDef op) {
  op.inputs = recurrence_operands();
  op.inputs.push_back({"y", "the states"});
  op.inputs.push_back({"g", "their cotangent"});
  op.shapes = "… -> [n, steps + 1, 4 units]";
  op.attributes = recurrence_attributes();
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
