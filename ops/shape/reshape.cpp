#include <fmt/format.h>

#include <algorithm>

#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

constexpr Dim inferred = Dim::number(-1);

/// total / known as a dimension, or nothing: division of polynomials in the batch.
std::optional<Dim> quotient(std::vector<std::int64_t> total, const std::vector<std::int64_t>& known) {
  const std::size_t degree = known.size() - 1;
  if (known.back() == 0 || total.size() < known.size() || total.size() - known.size() > 1)
    return std::nullopt;
  Dim result;
  for (std::size_t power = total.size() - known.size() + 1; power-- > 0;) {
    if (total[power + degree] % known.back() != 0) return std::nullopt;
    const std::int64_t factor = total[power + degree] / known.back();
    for (std::size_t i = 0; i <= degree; ++i) total[power + i] -= checked_multiply(factor, known[i]);
    (power == 1 ? result.factor : result.offset) = factor;
  }
  const bool exact = std::all_of(total.begin(), total.end(), [](std::int64_t rest) { return rest == 0; });
  return exact ? std::optional(result) : std::nullopt;
}

[[noreturn]] void refuse(const Shape& from, const Shape& to) {
  throw OpError(fmt::format("{} does not have as many elements as {}", to_string(from), to_string(to)),
                "The products must be equal at every batch size; one extent may be -1: the one that fits.",
                "shape");
}

Shape resolved(const Shape& from, Shape to) {
  for (const Dim dim : to) {
    if (dim.is_number() && dim.offset < 1 && dim != inferred) refuse(from, to);
  }
  const auto open = std::count(to.begin(), to.end(), inferred);
  if (open > 1) throw OpError(fmt::format("only one extent can be -1: {}", to_string(to)), {}, "shape");
  if (open == 1) {
    Shape known = to;
    known.erase(std::find(known.begin(), known.end(), inferred));
    const std::optional<Dim> rest = quotient(element_polynomial(from), element_polynomial(known));
    if (!rest) refuse(from, to);
    *std::find(to.begin(), to.end(), inferred) = *rest;
  }
  if (element_polynomial(from) != element_polynomial(to)) refuse(from, to);
  return to;
}

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  return {x.dtype, resolved(x.shape, context.attributes.shape("shape"))};
}

/// Axes survive as far as both shapes begin alike.
std::vector<AxisMap> axes(const AxesContext& context) {
  const Shape& from = context.inputs[0].shape;
  const Shape& to = context.output.shape;
  AxisMap map(from.size(), contracted);
  for (std::size_t axis = 0; axis < std::min(from.size(), to.size()) && from[axis] == to[axis]; ++axis) {
    map[axis] = static_cast<std::int64_t>(axis);
  }
  return {map};
}

Gradients vjp(VjpContext& context) {
  const Shape& shape = context.builder.type(context.input(0)).shape;
  return {context.builder.add("reshape", {context.cotangent}, {{"shape", shape}})};
}

/// Reshapes in a row are one, and one to the same shape is none.
std::optional<NodeId> reshape_once(RuleContext& context) {
  NodeId x = context.node.inputs[0];
  if (context.builder.node(x).op == context.node.op) x = context.builder.node(x).inputs[0];
  if (context.builder.type(x) == context.node.type) return x;
  if (x == context.node.inputs[0]) return std::nullopt;
  return context.builder.add("reshape", {x}, {{"shape", context.node.type.shape}},
                             {context.node.name, context.node.origin, context.node.controls});
}

}  // namespace

Op reshape() {
  OpDef op;
  op.name = "reshape";
  op.doc = "The same elements, in the same order, in another shape.";
  op.formula = "y = x";
  op.shapes = "[...] -> shape";
  op.inputs = {{"x", "any shape and type"}};
  op.attributes = {shape_attribute({}, "the new shape, such as [batch, 28, 28, 1]; one extent may be -1")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference_first;
  op.gradient = vjp;
  op.rules = {{"reshape_of_reshape", Phase::exact, reshape_once, {"shape"}, true}};
  op.traits.moves = true;
  op.traits.keeps_order = true;
  op.cost = [](const CostContext&) { return Cost{}; };
  return {std::move(op), {.alias = true}};
}

}  // namespace graphrun::ops
