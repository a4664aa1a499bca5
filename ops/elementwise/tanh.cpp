#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::tanh(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_tanh(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * (1.0 - call("square", {t.y}))};
}

}  // namespace

Op tanh() {
  Op op = elementwise<Body>(
      {.name = "tanh", .doc = "Hyperbolic tangent.", .formula = "y = tanh(x)", .gradient = vjp});
  op.kernel.post_op = [](const Node&) { return std::optional(runtime::PostOpSpec{runtime::PostOp::tanh}); };
  return op;
}

}  // namespace graphrun::ops
