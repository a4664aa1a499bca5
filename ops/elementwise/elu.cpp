#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(const Attributes& attributes, double x) {
    return x > 0 ? x : attributes.number("alpha") * std::expm1(x);
  }
  [[gnu::always_inline]] static float apply(const float* immediates, float x) {
    const float negative = immediates[0] * runtime::vector_expm1(x < 0 ? x : 0.0F);
    return x < 0 ? negative : x;
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const double alpha = context.node().attributes.number("alpha");
  return {t.g * call("where", {call("step", {t.x()}), constant_like(t.g, 1), t.y + alpha})};
}

runtime::Immediates immediates(const Node& node) {
  return {static_cast<float>(node.attributes.number("alpha"))};
}

}  // namespace

Op elu() {
  Op op = elementwise<Body>(
      {.name = "elu",
       .doc = "Exponential linear unit.",
       .formula = "y = x if x > 0 else alpha * (e^x - 1)",
       .attributes = {number("alpha", 1, at_least(0), "minus the limit of the negative side")},
       .gradient = vjp});
  op.kernel.immediates = immediates;
  op.kernel.post_op = [](const Node& node) {
    return std::optional(
        runtime::PostOpSpec{runtime::PostOp::elu, static_cast<float>(node.attributes.number("alpha"))});
  };
  return op;
}

}  // namespace graphrun::ops
