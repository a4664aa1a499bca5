#include "ops/sequence/recurrence.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/sequence/recurrence_kernel.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

/// Throws an OpError unless the operand is f32 of this shape, but for a first axis of 1 where that is
/// allowed.
void require_shape(const Type& type, const std::string& name, const Shape& expected, bool may_be_one) {
  require_f32(type, name);
  if (type.shape == expected) return;
  Shape one = expected;
  one[0] = Dim::number(1);
  if (may_be_one && type.shape == one) return;
  throw OpError(fmt::format("{} must be {}{}, but is {}", name, to_string(expected),
                            may_be_one ? " or " + to_string(one) : "", to_string(type.shape)),
                {}, name);
}

/// The gates' rows of all series one below the other.
Term rows_of_all(const Term& x) {
  const Shape& shape = x.type().shape;
  const std::int64_t steps = shape[1].offset;
  const Dim rows = {checked_multiply(shape[0].factor, steps), checked_multiply(shape[0].offset, steps)};
  return call("reshape", {x}, {{"shape", Shape{rows, shape[2]}}});
}

Term part(const Term& x, std::int64_t axis, std::int64_t start, std::int64_t stop) {
  return call("slice", {x}, {{"axis", axis}, {"start", start}, {"stop", stop}});
}

/// The states before each step, h alone.
Term states_before(const Term& start, const Term& states, std::int64_t units, bool reverse) {
  const Shape& shape = states.type().shape;
  const std::int64_t steps = shape[1].offset;
  Term first = part(start, 1, 0, units);
  if (start.type().shape[0] != shape[0])
    first = call("broadcast_to", {first}, {{"shape", Shape{shape[0], Dim::number(units)}}});
  first = call("reshape", {first}, {{"shape", Shape{shape[0], Dim::number(1), Dim::number(units)}}});
  if (steps == 1) return first;
  const Term h = part(states, 2, 0, units);
  return reverse ? call("concat", {part(h, 1, 1, steps), first}, {{"axis", std::int64_t{1}}})
                 : call("concat", {first, part(h, 1, 0, steps - 1)}, {{"axis", std::int64_t{1}}});
}

Cost cost_of(const CostContext& context, double times) {
  const auto steps = static_cast<double>(context.inputs[0][0] * context.inputs[0][1]);
  const auto weights = static_cast<double>(element_count(context.inputs[1]));
  double bytes = 4 * static_cast<double>(element_count(context.output));
  for (const Extents& input : context.inputs) bytes += 4 * static_cast<double>(element_count(input));
  return {times * 2 * steps * weights, bytes};
}

}  // namespace

Type infer_recurrence(const InferContext& context, CellSizes cell) {
  const Shape& p = context.inputs[0].shape;
  const Shape& u = context.inputs[1].shape;
  require_f32(context.inputs[0], "p");
  require_f32(context.inputs[1], "u");
  if (p.size() != 3 || !p[1].is_number() || !p[2].is_number()) {
    throw OpError(
        fmt::format("p must be series, [batch, steps, {} units], but is {}", cell.gates, to_string(p)), {},
        "p");
  }
  const bool fits = u.size() == 2 && u[0].is_number() && u[1].is_number() && u[1] == p[2] &&
                    u[1].offset == checked_multiply(cell.gates, u[0].offset);
  if (!fits) {
    throw OpError(fmt::format("u must be [units, {} units], as many as p has, but is {}, and p is {}",
                              cell.gates, to_string(u), to_string(p)),
                  {}, "u");
  }
  const Dim width = Dim::number(checked_multiply(cell.states, u[0].offset));
  require_shape(context.inputs[2], "b", {u[1]}, false);
  require_shape(context.inputs[3], "mask", {p[0], p[1]}, true);
  require_shape(context.inputs[4], "start", {p[0], width}, true);
  return {DType::f32, {p[0], p[1], width}};
}

Type infer_recurrence_gradient(const InferContext& context, CellSizes cell) {
  const Type states = infer_recurrence(context, cell);
  require_shape(context.inputs[5], "y", states.shape, false);
  require_shape(context.inputs[6], "g", states.shape, false);
  const std::int64_t units = context.inputs[1].shape[0].offset;
  return {DType::f32,
          {states.shape[0], Dim::number(checked_add(states.shape[1].offset, 1)),
           Dim::number(checked_multiply(slopes, units))}};
}

std::vector<AxisMap> recurrence_axes(const AxesContext& context) {
  std::vector<AxisMap> maps;
  for (std::size_t i = 0; i < context.inputs.size(); ++i) {
    AxisMap map(context.inputs[i].shape.size(), contracted);
    const bool is_weight = i == 1 || i == 2;
    if (!is_weight && context.inputs[i].shape[0] == context.output.shape[0]) map[0] = 0;
    maps.push_back(std::move(map));
  }
  return maps;
}

std::vector<OperandDeclaration> recurrence_operands() {
  return {{"p", "what the input of each step gives to the gates"},
          {"u", "what the state before gives to them: weights"},
          {"b", "and a bias"},
          {"mask", "1 where a step counts; 0 keeps the state as it was. It has no gradient"},
          {"start", "the state before the first step"}};
}

std::vector<AttributeDeclaration> recurrence_attributes() {
  return {flag("reverse", false, "from the last step to the first")};
}

RecurrenceSizes recurrence_sizes(const Extents& p, const Extents& u, const Attributes& attributes) {
  return {static_cast<std::size_t>(p[1]), static_cast<std::size_t>(u[0]), attributes.flag("reverse")};
}

Gradients recurrence_vjp(VjpContext& context, CellSizes cell) {
  const VjpTerms t(context);
  const std::int64_t units = t.x(1).type().shape[0].offset;
  const std::int64_t steps = t.x(0).type().shape[1].offset;
  const Attributes& attributes = context.node().attributes;
  const std::string gradient_op = context.node().op->name + "_gradient";
  const Term all = call(gradient_op, {t.x(0), t.x(1), t.x(2), t.x(3), t.x(4), t.y, t.g}, attributes);
  const Term made = part(all, 1, 0, steps);
  // A cell with fewer gates than slopes has two of its last gate: by p, then by the recurrent part.
  const bool has_two = cell.gates < slopes;
  const auto by_p = [&] { return has_two ? part(made, 2, 0, cell.gates * units) : made; };
  const auto by_recurrent = [&] {
    if (!has_two) return made;
    return call(
        "concat",
        {part(made, 2, 0, (cell.gates - 1) * units), part(made, 2, cell.gates * units, slopes * units)},
        {{"axis", std::int64_t{2}}});
  };
  const auto by_weights = [&] {
    const Term before = states_before(t.x(4), t.y, units, attributes.flag("reverse"));
    return call("matmul", {rows_of_all(before), rows_of_all(by_recurrent())}, {{"transpose_a", true}});
  };
  const auto by_start = [&] {
    const Dim width = Dim::number(cell.states * units);
    return call("reshape", {part(part(all, 1, steps, steps + 1), 2, 0, cell.states * units)},
                {{"shape", Shape{t.y.type().shape[0], width}}});
  };
  Gradients gradients(5);  // none by the mask, which is taken as given
  if (context.wanted[0]) gradients[0] = by_p();
  if (context.wanted[1]) gradients[1] = by_weights();
  if (context.wanted[2]) gradients[2] = by_recurrent();
  if (context.wanted[4]) gradients[4] = by_start();
  return gradients;
}

std::unique_ptr<runtime::RepeatedProduct> step_product(const runtime::BoundNode& bound, std::size_t inner,
                                                       std::size_t columns, bool bias) {
  const runtime::MatmulSpec spec{.rows = static_cast<std::int64_t>(series_together),
                                 .columns = static_cast<std::int64_t>(columns),
                                 .inner = static_cast<std::int64_t>(inner),
                                 .bias = bias};
  return runtime::make_repeated_product(spec, bound.provider, bound.isa);
}

Cost recurrence_cost(const CostContext& context) {
  return cost_of(context, 1);
}

Cost recurrence_gradient_cost(const CostContext& context) {
  return cost_of(context, 2);
}

}  // namespace graphrun::ops
