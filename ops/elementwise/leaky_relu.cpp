#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(const Attributes& attributes, double x) {
    return x > 0 ? x : attributes.number("slope") * x;
  }
  [[gnu::always_inline]] static float apply(const float* immediates, float x) {
    return x > 0 ? x : immediates[0] * x;
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Term slope = constant_like(t.g, context.node().attributes.number("slope"));
  return {t.g * call("where", {call("step", {t.x()}), constant_like(t.g, 1), slope})};
}

runtime::Immediates immediates(const Node& node) {
  return {static_cast<float>(node.attributes.number("slope"))};
}

}  // namespace

Op leaky_relu() {
  Op op = elementwise<Body>({.name = "leaky_relu",
                             .doc = "Rectifier that leaks: the slope at 0 is that of the negative side.",
                             .formula = "y = x if x > 0 else slope * x",
                             .attributes = {number("slope", 0.01, at_least(0), "slope of the negative side")},
                             .gradient = vjp});
  op.kernel.immediates = immediates;
  op.kernel.post_op = [](const Node& node) {
    return std::optional(runtime::PostOpSpec{runtime::PostOp::leaky_relu,
                                             static_cast<float>(node.attributes.number("slope"))});
  };
  return op;
}

}  // namespace graphrun::ops
