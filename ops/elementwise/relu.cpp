#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return x < 0 ? 0 : x; }  // NaN stays NaN
  [[gnu::always_inline]] static float apply(const float*, float x) { return x < 0 ? 0.0F : x; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * call("step", {t.y})};
}

}  // namespace

Op relu() {
  Op op = elementwise<Body>({.name = "relu",
                             .doc = "Rectifier; its slope at 0 is 0.",
                             .formula = "y = max(x, 0)",
                             .gradient = vjp,
                             .rounds_once = true});
  op.kernel.post_op = [](const Node&) { return std::optional(runtime::PostOpSpec{runtime::PostOp::relu}); };
  return op;
}

}  // namespace graphrun::ops
