#include "ops/statistics/moments.hpp"

#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/statistics/parts.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  require_f32(x, "x");
  if (x.shape.size() < 2 || !x.shape.back().is_number()) {
    throw OpError(fmt::format("x must have rows and channels, but is {}", to_string(x.shape)), {}, "x");
  }
  return {DType::f32, {Dim::number(2), x.shape.back()}};
}

std::vector<AxisMap> axes(const AxesContext& context) {
  AxisMap map(context.inputs[0].shape.size(), contracted);
  map.back() = 1;
  return {map};
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const Extents images = as_images(x.extents);
  pool_moments({images.front(), 2, images.back()}, moments_of_rows(x), context.output.values);
}

/// With m the mean of n numbers and v their variance: dm/dx = 1/n, dv/dx = 2 (x - m)/n.
Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Term n = call("size", {t.x()}, {{"axis", axes_before(t.x(), 1)}});
  return {call("normalise", {t.x(), part(t.y, 0), 2.0 * part(t.g, 1) / n, part(t.g, 0) / n})};
}

/// Images each by itself, which runs in slices, and then all of them: what the kernel does too.
std::optional<NodeId> rows_first(RuleContext& context) {
  const NodeId x = context.node.inputs[0];
  const Shape& shape = context.builder.type(x).shape;
  if (shape.size() < 3 || shape.front().is_number()) return std::nullopt;
  const NodeId rows = context.builder.add("row_moments", {x});
  return context.builder.add("pooled_moments", {rows}, {}, {context.node.name, context.node.origin, {}});
}

/// A sum for the mean, and then one of squared distances from it.
std::optional<NodeId> as_sums(RuleContext& context) {
  const Term x(context.builder, context.node.inputs[0]);
  if (x.type().shape.front().is_number()) return std::nullopt;
  const Attributes over_rows = {{"axis", axes_before(x, 1)}};
  const Term count = call("size", {x}, over_rows);
  const Term mean = call("sum", {x}, over_rows) / count;
  const Term distance = x - mean;
  return pair_of(mean, call("sum", {distance * distance}, over_rows) / count);
}

}  // namespace

Op moments() {
  OpDef op;
  op.name = "moments";
  op.doc = "The mean and the variance of each channel (the last axis) over all other axes.";
  op.formula = "y[0] = mean of x, y[1] = mean of (x - y[0])^2";
  op.shapes = "[..., c] -> [2, c]";
  op.inputs = {{"x", "two axes or more"}};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.rules = {{"moments_of_rows_first", Phase::exact, rows_first}, {"moments_as_sums", Phase::sums, as_sums}};
  op.cost = [](const CostContext& context) {
    const auto count = static_cast<double>(element_count(context.inputs[0]));
    return Cost{4 * count, 4 * count};
  };
  return {std::move(op), {.make = make_moments}};
}

}  // namespace graphrun::ops
