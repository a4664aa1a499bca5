#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::abs(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_abs(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * call("sign", {t.x()})};
}

}  // namespace

Op abs() {
  return elementwise<Body>({.name = "abs",
                            .doc = "Absolute value; its slope at 0 is 0.",
                            .formula = "y = |x|",
                            .gradient = vjp,
                            .rounds_once = true});
}

}  // namespace graphrun::ops
