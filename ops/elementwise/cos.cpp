#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_sine.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::cos(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_cos(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {-(t.g * call("sin", {t.x()}))};
}

}  // namespace

Op cos() {
  return elementwise<Body>(
      {.name = "cos",
       .doc = "Cosine of an angle in radians. Of angles beyond 2^28 any number from -1 to 1.",
       .formula = "y = cos(x)",
       .gradient = vjp});
}

}  // namespace graphrun::ops
