#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::abs(x))); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_softplus(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * call("sigmoid", {t.x()})};
}

}  // namespace

Op softplus() {
  Op op = elementwise<Body>({.name = "softplus",
                             .doc = "Smooth rectifier, without overflow.",
                             .formula = "y = ln(1 + e^x)",
                             .gradient = vjp});
  op.kernel.post_op = [](const Node&) {
    return std::optional(runtime::PostOpSpec{runtime::PostOp::softplus});
  };
  return op;
}

}  // namespace graphrun::ops
