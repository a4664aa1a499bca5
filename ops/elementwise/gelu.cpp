#include <cmath>
#include <numbers>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); }
  [[gnu::always_inline]] static float apply(const float*, float x) {
    return x * runtime::vector_normal_cdf(x);
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Term x = t.x();
  const Term cumulative = 0.5 * (1.0 + call("erf", {x / std::numbers::sqrt2}));
  const Term density =
      call("exp", {-0.5 * call("square", {x})}) * (0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
  return {t.g * (cumulative + x * density)};
}

}  // namespace

Op gelu() {
  Op op = elementwise<Body>({.name = "gelu",
                             .doc = "Gaussian error linear unit, exact.",
                             .formula = "y = x * (1 + erf(x / sqrt(2))) / 2",
                             .gradient = vjp});
  op.kernel.post_op = [](const Node&) { return std::optional(runtime::PostOpSpec{runtime::PostOp::gelu}); };
  return op;
}

}  // namespace graphrun::ops
