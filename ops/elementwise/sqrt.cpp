#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::sqrt(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_sqrt(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * 0.5 / t.y};
}

}  // namespace

Op sqrt() {
  return elementwise<Body>({.name = "sqrt",
                            .doc = "Square root; its slope at 0 is infinite.",
                            .formula = "y = sqrt(x)",
                            .gradient = vjp,
                            .rounds_once = true});
}

}  // namespace graphrun::ops
