#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/reduce/reduction.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  std::vector<double>& y = context.output.values;
  std::fill(y.begin(), y.end(), -std::numeric_limits<double>::infinity());
  const std::vector<std::size_t> target = reduction_targets(x.extents, context.node.attributes.axes("axis"));
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    double& best = y[target[i]];
    best = best > x.values[i] || std::isnan(best) ? best : x.values[i];
  }
}

/// Elements that tie for the maximum share its gradient equally.
Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Term best(context.builder, with_kept_dims(context.builder, t.y, context.node()));
  const Term g(context.builder, with_kept_dims(context.builder, t.g, context.node()));
  const Term chosen = call("equal", {t.x(), best});
  const Term ties =
      call("sum", {chosen}, {{"axis", context.node().attributes.axes("axis")}, {"keepdims", true}});
  return {chosen * (g / ties)};
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  return {count, 4 * (count + static_cast<double>(element_count(context.output)))};
}

}  // namespace

Op max() {
  OpDef op;
  op.name = "max";
  op.doc = "The largest element along axes; ties share its gradient equally, and NaN wins.";
  op.formula = "y = max of x over `axis`";
  op.shapes = "[...] -> [... without the axes], or with 1 in their place";
  op.inputs = {{"x", "any shape"}};
  op.attributes = {axes_attribute("the axes to look along; all by default"), keepdims_attribute()};
  op.infer = infer_reduction;
  op.axes = reduction_axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  runtime::KernelDef kernel;
  kernel.reduction = runtime::ReductionKind::max;
  kernel.make = make_max;
  return {std::move(op), std::move(kernel)};
}

}  // namespace graphrun::ops
