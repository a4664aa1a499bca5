#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return x / (1 + std::exp(-x)); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return x * runtime::vector_sigmoid(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Term s = call("sigmoid", {t.x()});
  return {t.g * (s * (1.0 + t.x() * (1.0 - s)))};
}

}  // namespace

Op silu() {
  Op op = elementwise<Body>({.name = "silu",
                             .doc = "Sigmoid linear unit, also called swish.",
                             .formula = "y = x * sigmoid(x)",
                             .gradient = vjp});
  op.kernel.post_op = [](const Node&) { return std::optional(runtime::PostOpSpec{runtime::PostOp::silu}); };
  return op;
}

}  // namespace graphrun::ops
