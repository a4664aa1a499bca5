#include <algorithm>
#include <cmath>
#include <limits>

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

}  // namespace

Op max() {
  OpDef op = reduction("max", "the axes to look along; all by default");
  op.doc = "The largest element along axes; ties share its gradient equally, and NaN wins.";
  op.formula = "y = max of x over `axis`";
  op.reference = reference;
  op.gradient = vjp;
  return {std::move(op), {.reduction = runtime::ReductionKind::max, .make = make_max}};
}

}  // namespace graphrun::ops
