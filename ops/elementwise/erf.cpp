#include <cmath>
#include <numbers>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::erf(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_erf(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * (2.0 * std::numbers::inv_sqrtpi * call("exp", {-call("square", {t.x()})}))};
}

}  // namespace

Op erf() {
  return elementwise<Body>({.name = "erf",
                            .doc = "Error function.",
                            .formula = "y = 2/sqrt(pi) * integral of e^(-t^2) from 0 to x",
                            .gradient = vjp});
}

}  // namespace graphrun::ops
