#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_sine.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::sin(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_sin(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * call("cos", {t.x()})};
}

}  // namespace

Op sin() {
  return elementwise<Body>(
      {.name = "sin",
       .doc = "Sine of an angle in radians. Of angles beyond 2^28 any number from -1 to 1.",
       .formula = "y = sin(x)",
       .gradient = vjp});
}

}  // namespace graphrun::ops
