#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) {
    const double e = std::exp(-std::abs(x));
    return (x < 0 ? e : 1.0) / (1.0 + e);
  }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_sigmoid(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * (t.y * (1.0 - t.y))};
}

}  // namespace

Op sigmoid() {
  Op op = elementwise<Body>({.name = "sigmoid",
                             .doc = "Logistic function; its logarithm and bce of it are made stable.",
                             .formula = "y = 1 / (1 + e^-x)",
                             .gradient = vjp});
  op.kernel.post_op = [](const Node&) {
    return std::optional(runtime::PostOpSpec{runtime::PostOp::sigmoid});
  };
  return op;
}

}  // namespace graphrun::ops
