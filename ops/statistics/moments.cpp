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
  Axes counted;
  counted.all = false;
  const std::size_t rank = t.x().type().shape.size();
  for (std::size_t axis = 0; axis + 1 < rank; ++axis) {
    counted.list.push_back(static_cast<std::int64_t>(axis));
  }
  const Term n = call("size", {t.x()}, {{"axis", counted}});
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
  op.rules = {{"moments_of_rows_first", Phase::exact, rows_first}};
  op.cost = [](const CostContext& context) {
    const auto count = static_cast<double>(element_count(context.inputs[0]));
    return Cost{4 * count, 4 * count};
  };
  return {std::move(op), {.make = make_moments}};
}

}  // namespace graphrun::ops
