#include "ops/declaration.hpp"
#include "ops/statistics/moments.hpp"
#include "ops/statistics/parts.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  require_f32(x, "x");
  if (x.shape.size() != 3 || x.shape[1] != Dim::number(2)) {
    throw OpError("x must be means and variances, [n, 2, c]", {}, "x");
  }
  return {DType::f32, {x.shape[1], x.shape[2]}};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {{contracted, contracted, 1}};
}

void reference(const ReferenceContext& context) {
  pool_moments(context.inputs[0]->extents, context.inputs[0]->values, context.output.values);
}

/// Row `i` of each row's [2, c], as [n, c].
Term half(const Term& pairs, std::int64_t i) {
  const Shape& shape = pairs.type().shape;
  const Term taken = call("slice", {pairs}, {{"axis", 1}, {"start", i}, {"stop", i + 1}});
  return call("reshape", {taken}, {{"shape", Shape{shape[0], shape[2]}}});
}

std::optional<NodeId> as_sums(RuleContext& context) {
  const Term x(context.builder, context.node.inputs[0]);
  if (x.type().shape.front().is_number()) return std::nullopt;
  const Attributes over_rows = {{"axis", axes_before(x, 2)}};
  const Term count = call("size", {x}, over_rows);
  const Term means = half(x, 0);
  const Term mean = call("sum", {means}, over_rows) / count;
  const Term distance = means - mean;
  return pair_of(mean, call("sum", {half(x, 1) + distance * distance}, over_rows) / count);
}

}  // namespace

Op pooled_moments() {
  OpDef op;
  op.name = "pooled_moments";
  op.doc = "The mean and the variance of all rows from those of each: the second half of moments.";
  op.formula = "y[0] = mean of x[n, 0], y[1] = mean of x[n, 1] + (x[n, 0] - y[0])^2";
  op.shapes = "[n, 2, c] -> [2, c]";
  op.inputs = {{"x", "the moments of rows of equally many pixels"}};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = NotDifferentiable{"it is made of moments after all gradients"};
  op.rules = {{"pooled_moments_as_sums", Phase::sums, as_sums}};
  op.internal = true;
  return {std::move(op), {.make = make_pooled_moments}};
}

}  // namespace graphrun::ops
