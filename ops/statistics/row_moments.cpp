#include "ops/declaration.hpp"
#include "ops/statistics/moments.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  require_f32(x, "x");
  if (x.shape.size() < 3) throw OpError("x must have rows, pixels and channels", {}, "x");
  return {DType::f32, {x.shape.front(), Dim::number(2), x.shape.back()}};
}

std::vector<AxisMap> axes(const AxesContext& context) {
  AxisMap map(context.inputs[0].shape.size(), contracted);
  map.front() = 0;
  map.back() = 2;
  return {map};
}

void reference(const ReferenceContext& context) {
  context.output.values = moments_of_rows(*context.inputs[0]);
}

}  // namespace

Op row_moments() {
  OpDef op;
  op.name = "row_moments";
  op.doc = "The mean and the variance of each channel, row by row: the first half of moments.";
  op.formula = "y[n, 0] = mean of x[n], y[n, 1] = mean of (x[n] - y[n, 0])^2";
  op.shapes = "[n, ..., c] -> [n, 2, c]";
  op.inputs = {{"x", "three axes or more"}};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = NotDifferentiable{"it is made of moments after all gradients"};
  op.cost = [](const CostContext& context) {
    const auto count = static_cast<double>(element_count(context.inputs[0]));
    return Cost{4 * count, 4 * count};
  };
  op.internal = true;
  return {std::move(op), {.make = make_row_moments}};
}

}  // namespace graphrun::ops
