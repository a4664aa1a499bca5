#include "ops/declaration.hpp"
#include "ops/statistics/moments.hpp"

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
  op.internal = true;
  return {std::move(op), {.make = make_pooled_moments}};
}

}  // namespace graphrun::ops
