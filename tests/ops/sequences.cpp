// Rows of the op table for recurrences, and both cells written out step by step.
#include "graph/op.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

Operand drawn(Shape shape, double low = -1, double high = 1) {
  return {.low = low, .high = high, .type = {DType::f32, std::move(shape)}};
}

/// A recurrence and its gradient, over `steps` steps.
struct Recurrence {
  std::string cell;
  std::int64_t units, steps;
  bool reverse, one_mask, one_start;

  std::int64_t gates() const { return cell == "lstm" ? 4 : 3; }
  std::int64_t states() const { return cell == "lstm" ? 2 : 1; }
};

std::vector<OpCase> cases_of(const Recurrence& r) {
  const Dim gates = number(r.gates() * r.units);
  const Dim width = number(r.states() * r.units);
  const Operand p = drawn({batch, number(r.steps), gates}, -2, 2);
  const Operand y = drawn({batch, number(r.steps), width});
  Operand mask = drawn({r.one_mask ? number(1) : batch, number(r.steps)}, 0, 1);
  mask.smooth = false;
  const Operand start = drawn({r.one_start ? number(1) : batch, width});
  const std::vector<Operand> operands = {p, drawn({number(r.units), gates}), drawn({gates}), mask, start};
  std::vector<Operand> of_gradient = operands;
  of_gradient.insert(of_gradient.end(), {y, y});
  const Attributes attributes = {{"reverse", r.reverse}};
  std::vector<OpCase> cases = {{r.cell + "_steps", operands, attributes, {}, y.type},
                               {r.cell + "_steps_gradient",
                                of_gradient,
                                attributes,
                                {},
                                Type{DType::f32, {batch, number(r.steps + 1), number(4 * r.units)}}}};
  for (OpCase& one : cases) {
    one.batch = 2;
    one.second = false;
    one.kernel_tolerance = 1e-5;
  }
  return cases;
}

std::vector<Recurrence> recurrences() {
  std::vector<Recurrence> all;
  for (const std::string cell : {"lstm", "gru"}) {
    all.push_back({cell, 2, 3, false, false, false});
    all.push_back({cell, 1, 1, false, true, true});
    all.push_back({cell, 3, 2, true, true, false});
    all.push_back({cell, 17, 4, true, false, true});
  }
  return all;
}

}  // namespace

std::vector<OpCase> sequence_cases() {
  std::vector<OpCase> all;
  for (const Recurrence& r : recurrences())
    for (const OpCase& one : cases_of(r)) all.push_back(one);
  return all;
}

}  // namespace graphrun::op_table

using namespace graphrun;
using op_table::batch;
using op_table::number;

namespace {

Term part(const Term& x, std::int64_t axis, std::int64_t start, std::int64_t stop) {
  return call("slice", {x}, {{"axis", axis}, {"start", start}, {"stop", stop}});
}

Term sigmoid(const Term& x) {
  return call("sigmoid", {x});
}
Term tanh(const Term& x) {
  return call("tanh", {x});
}

/// One step of a cell as a formula: [n, states] by p [n, gates] and q, the state's part, [n, gates].
Term lstm_step(const Term& p, const Term& q, const Term& before, std::int64_t n) {
  const Term z = p + q;
  const Term c = sigmoid(part(z, 1, n, 2 * n)) * part(before, 1, n, 2 * n) +
                 sigmoid(part(z, 1, 0, n)) * tanh(part(z, 1, 2 * n, 3 * n));
  return call("concat", {sigmoid(part(z, 1, 3 * n, 4 * n)) * tanh(c), c});
}

Term gru_step(const Term& p, const Term& q, const Term& before, std::int64_t n) {
  const Term reset = sigmoid(part(p, 1, 0, n) + part(q, 1, 0, n));
  const Term keep = sigmoid(part(p, 1, n, 2 * n) + part(q, 1, n, 2 * n));
  const Term value = tanh(part(p, 1, 2 * n, 3 * n) + reset * part(q, 1, 2 * n, 3 * n));
  return value + keep * (before - value);
}

/// The recurrence of a case, unrolled.
Graph unrolled(const op_table::OpCase& one) {
  Builder builder(ops::registry());
  std::vector<Term> x;
  for (std::size_t i = 0; i < one.operands.size(); ++i)
    x.emplace_back(builder, builder.add("input", {}, {{"shape", one.operands[i].type.shape}},
                                        {.name = op_table::operand_name(i)}));
  const bool is_lstm = one.op.starts_with("lstm");
  const std::int64_t units = x[1].type().shape[0].offset;
  const std::int64_t steps = x[0].type().shape[1].offset;
  const Dim gates = x[0].type().shape[2];
  const Dim width = number((is_lstm ? 2 : 1) * units);
  Term state = call("broadcast_to", {x[4]}, {{"shape", Shape{batch, width}}});
  std::vector<std::optional<Term>> states(static_cast<std::size_t>(steps));
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t time = one.attributes.flag("reverse") ? steps - 1 - step : step;
    const Term p = call("reshape", {part(x[0], 1, time, time + 1)}, {{"shape", Shape{batch, gates}}});
    const Term q = call("matmul", {part(state, 1, 0, units), x[1]}) + x[2];
    const Term after = is_lstm ? lstm_step(p, q, state, units) : gru_step(p, q, state, units);
    const Term share = part(x[3], 1, time, time + 1);
    state = share * after + (1.0 - share) * state;
    states[static_cast<std::size_t>(time)] =
        call("reshape", {state}, {{"shape", Shape{batch, number(1), width}}});
  }
  Term y = *states[0];
  for (std::size_t i = 1; i < states.size(); ++i)
    y = call("concat", {y, *states[i]}, {{"axis", std::int64_t{1}}});
  builder.output("y", y);
  return std::move(builder).finish();
}

}  // namespace

TEST_CASE("recurrences: values, kernels and gradients") {
  for (const op_table::OpCase& one : op_table::sequence_cases()) op_table::check(one);
}

TEST_CASE("recurrences are their cells, step by step") {
  for (const op_table::OpCase& one : op_table::sequence_cases()) {
    if (one.op.ends_with("gradient")) continue;
    INFO(op_table::describe(one));
    Builder builder(ops::registry());
    builder.output("y", op_table::add_op(builder, one));
    const Graph graph = std::move(builder).finish();
    op_table::compare(op_table::reference(one, graph, 3).values,
                      op_table::reference(one, unrolled(one), 3).values, 1e-12);
  }
}

TEST_CASE("recurrences: errors say what is wrong") {
  const auto f32 = [](Shape shape) { return Type{DType::f32, std::move(shape)}; };
  const Type p = f32({batch, number(5), number(12)});
  const Type u = f32({number(3), number(12)});
  const Type b = f32({number(12)});
  const Type mask = f32({batch, number(5)});
  const Type start = f32({batch, number(6)});
  const std::vector<op_table::ErrorCase> cases = {
      {"lstm_steps",
       {mask, u, b, mask, start},
       {},
       "p must be series, [batch, steps, 4 units], but is [batch, 5]"},
      {"lstm_steps",
       {p, p, b, mask, start},
       {},
       "u must be [units, 4 units], as many as p has, but is [batch, 5, 12]"},
      {"gru_steps",
       {p, u, b, mask, start},
       {},
       "u must be [units, 3 units], as many as p has, but is [3, 12]"},
      {"lstm_steps", {p, u, u, mask, start}, {}, "b must be [12], but is [3, 12]"},
      {"lstm_steps", {p, u, b, b, start}, {}, "mask must be [batch, 5] or [1, 5], but is [12]"},
      {"lstm_steps", {p, u, b, mask, mask}, {}, "start must be [batch, 6] or [1, 6], but is [batch, 5]"},
      {"lstm_steps",
       {p, u, b, {DType::i32, {batch, number(5)}}, start},
       {},
       "it computes with f32, but mask is i32"},
  };
  for (const op_table::ErrorCase& one : cases) op_table::check(one);
}
