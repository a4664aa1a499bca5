#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::exp(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_exp(x); }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * t.y};
}

}  // namespace

Op exp() {
  return elementwise<Body>(
      {.name = "exp", .doc = "Exponential function.", .formula = "y = e^x", .gradient = vjp});
}

}  // namespace graphrun::ops
