/// \file
/// How a cell (recurrence.hpp) becomes an op: the steps in f64 as its reference, and in f32 as its kernel,
/// with products of whoever makes them.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ops/isa_dispatch.hpp"
#include "ops/rows.hpp"
#include "ops/sequence/recurrence.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/products/matmul_packing.hpp"
#include "runtime/products/repeated_product.hpp"

namespace graphrun::ops {

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

/// Memory that is handed out piece by piece, or counted first: then it begins nowhere.
template <class Float>
class Pieces {
 public:
  explicit Pieces(Float* begin) : begin_(begin) {}
  [[gnu::always_inline]] Float* take(std::size_t numbers) {
    constexpr std::size_t line = 16;
    Float* const piece = begin_ == nullptr ? nullptr : begin_ + used_;
    used_ += (numbers + line - 1) / line * line;
    return piece;
  }
  std::size_t used() const { return used_; }

 private:
  Float* begin_;
  std::size_t used_ = 0;
};

/// The room that `count` series need.
template <class Cell, bool gradient, class Float>
[[gnu::always_inline]] inline StepRoom<Float> take_room(std::size_t units, std::size_t count,
                                                        const StepRows& row, Pieces<Float>& pieces) {
  StepRoom<Float> room{.row = row, .h = pieces.take(count * row.h), .q = pieces.take(count * row.q)};
  if constexpr (gradient) {
    room.dq = pieces.take(count * row.dq);
    room.back = pieces.take(count * row.back);
    room.left = pieces.take(count * Cell::states * units);
    room.arrived = pieces.take(Cell::states * units);
    room.made = pieces.take(Cell::states * units);
  }
  return room;
}

template <class Cell, bool gradient>
std::size_t room_numbers(std::size_t units, std::size_t count, const StepRows& row) {
  Pieces<float> counted(nullptr);
  take_room<Cell, gradient>(units, count, row, counted);
  return counted.used();
}

/// Of products of our own, whose rows lie side by side.
template <class Cell>
StepRows plain_rows(std::size_t units) {
  return {units, Cell::gates * units, Cell::gates * units, units};
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
  const StepRows rows = plain_rows<Cell>(s.units);
  std::vector<double> numbers(room_numbers<Cell, gradient>(s.units, 1, rows));
  Pieces<double> pieces(numbers.data());
  const StepRoom<double> room = take_room<Cell, gradient>(s.units, 1, rows, pieces);
  std::vector<double> turned(s.units * gates);
  turn_over(values(1), s.units, gates, turned.data());
  const PlainProduct<double> product{values(1), values(2), s.units, gates, room.row.q};
  const PlainProduct<double> back{turned.data(), nullptr, gates, s.units, room.row.back};
  for (std::size_t n = 0; n < static_cast<std::size_t>(extents[0][0]); ++n) {
    if constexpr (gradient)
      run_gradient<Cell>(s, series.from(n), 1, product, back, room);
    else
      run_steps<Cell>(s, series.from(n), 1, product, room);
  }
}

/// A product as a provider makes it, of a matrix that it has taken.
struct ProvidedProduct {
  runtime::BoundRepeatedProduct* product;
  bool* failed;

  void operator()(const float* x, std::size_t /*x_row*/, std::size_t count, float* y) const noexcept {
    if (!product->run(x, static_cast<std::int64_t>(count), y)) *failed = true;
  }
};

struct RecurrenceArguments {
  const RecurrenceSizes* sizes;
  const Series<float>* series;
  std::size_t count;
  const StepRows* rows;
  const float* u;
  const float* turned;  ///< u transposed, of a gradient
  const float* b;
  float* room;
  runtime::BoundRepeatedProduct* step;  ///< null: loops of our own
  runtime::BoundRepeatedProduct* back;
  bool* failed;
};

/// So many series at a time that what they need stays in the second-level cache.
inline constexpr std::size_t series_together = 64;

/// So many series, up to what a product makes of them.
[[gnu::always_inline]] inline std::size_t whole_steps(std::size_t count) {
  constexpr auto step = static_cast<std::size_t>(runtime::repeated_rows_step);
  return (count + step - 1) / step * step;
}

template <class Cell, bool gradient>
struct RecurrenceLoop {
  [[gnu::always_inline]] static void run(const RecurrenceArguments& a) noexcept {
    const std::size_t units = a.sizes->units;
    const std::size_t gates = Cell::gates * units;
    Pieces<float> pieces(a.room);
    const StepRoom<float> room =
        take_room<Cell, gradient>(units, std::min(whole_steps(a.count), series_together), *a.rows, pieces);
    if (a.step == nullptr) {
      const PlainProduct<float> product{a.u, a.b, units, gates, room.row.q};
      blocks(a, product, PlainProduct<float>{a.turned, nullptr, gates, units, room.row.back}, room);
    } else {
      blocks(a, ProvidedProduct{a.step, a.failed}, ProvidedProduct{a.back, a.failed}, room);
    }
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

/// The products of the steps, by a matrix [inner, columns], as whoever was asked for makes them; null: loops
/// of our own.
std::unique_ptr<runtime::RepeatedProduct> step_product(const runtime::BoundNode& bound, std::size_t inner,
                                                       std::size_t columns, bool bias);

struct BoundSteps final : runtime::CallState {
  std::unique_ptr<runtime::BoundRepeatedProduct> step;
  std::unique_ptr<runtime::BoundRepeatedProduct> back;  ///< of a gradient
};

template <class Cell, bool gradient>
class RecurrenceCall final : public runtime::Call {
  using Loop = RecurrenceLoop<Cell, gradient>;

 public:
  explicit RecurrenceCall(const runtime::BoundNode& bound)
      : sizes_(recurrence_sizes(bound.inputs[0], bound.inputs[1], bound.node.attributes)),
        rows_(plain_rows<Cell>(sizes_.units)),
        step_(step_product(bound, sizes_.units, gates(), true)),
        function_(IsaLoops<Loop, RecurrenceArguments>::select(bound.isa)) {
    set_rows(series_, bound.inputs, bound.output);
    if (bound.input_types[3].shape[0].is_number(1)) series_.mask_row = 0;
    if (bound.input_types[4].shape[0].is_number(1)) series_.start_row = 0;
    if (gradient && step_ != nullptr) back_ = step_product(bound, gates(), sizes_.units, false);
    if (step_ != nullptr) rows_ = {step_->x_row(), step_->y_row()};
    if (back_ != nullptr) rows_ = {rows_.h, rows_.q, back_->x_row(), back_->y_row()};
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
    bool failed = false;
    RecurrenceArguments arguments{.sizes = &sizes_,
                                  .series = &series,
                                  .count = static_cast<std::size_t>(a.row_count),
                                  .rows = &rows_,
                                  .u = input_as<float>(a, 1),
                                  .turned = nullptr,
                                  .b = input_as<float>(a, 2),
                                  .room = reinterpret_cast<float*>(a.scratch),
                                  .step = nullptr,
                                  .back = nullptr,
                                  .failed = &failed};
    take_matrices(arguments, a);
    function_(arguments);
    if (failed && a.failed != nullptr) *a.failed = true;
  }

  std::size_t scratch_bytes() const override {
    return steps_bytes() + turned_bytes() + room_of(step_) + room_of(back_);
  }
  std::unique_ptr<runtime::CallState> bind() const override {
    if (step_ == nullptr) return nullptr;
    auto bound = std::make_unique<BoundSteps>();
    bound->step = step_->bind();
    if (back_ != nullptr) bound->back = back_->bind();
    return bound;
  }
  std::string implementation() const override { return step_ == nullptr ? "" : step_->implementation(); }

 private:
  std::size_t gates() const { return Cell::gates * sizes_.units; }

  // Scratch is the steps' room, u transposed, and what the products ask for.
  std::size_t steps_bytes() const {
    return room_numbers<Cell, gradient>(sizes_.units, series_together, rows_) * sizeof(float);
  }
  std::size_t turned_bytes() const {
    return gradient ? runtime::aligned_size(gates() * sizes_.units * sizeof(float)) : 0;
  }
  static std::size_t room_of(const std::unique_ptr<runtime::RepeatedProduct>& product) {
    return product == nullptr ? 0 : runtime::aligned_size(product->room_bytes());
  }

  void take_matrices(RecurrenceArguments& arguments, const runtime::CallArguments& a) const noexcept {
    std::byte* const behind = a.scratch + steps_bytes();
    if constexpr (gradient) {
      auto* const turned = reinterpret_cast<float*>(behind);
      if (step_ == nullptr)
        turn_over(arguments.u, sizes_.units, gates(), turned);
      else
        runtime::pack_transposed(arguments.u, gates(), sizes_.units, gates(), turned, sizes_.units);
      arguments.turned = turned;
    }
    if (step_ == nullptr) return;
    const auto& bound = static_cast<const BoundSteps&>(*a.state);
    std::byte* const room = behind + turned_bytes();
    arguments.step = bound.step.get();
    arguments.step->take(arguments.u, arguments.b, room);
    if (bound.back == nullptr) return;
    arguments.back = bound.back.get();
    arguments.back->take(arguments.turned, nullptr, room + room_of(step_));
  }

  RecurrenceSizes sizes_;
  StepRows rows_;
  Series<float> series_;
  std::unique_ptr<runtime::RepeatedProduct> step_;
  std::unique_ptr<runtime::RepeatedProduct> back_;
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
