#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return x * x; }
  [[gnu::always_inline]] static float apply(const float*, float x) { return x * x; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {2.0 * t.g * t.x()};  // where g is one number repeated, so is 2 g
}

}  // namespace

Op square() {
  return elementwise<Body>(
      {.name = "square", .doc = "Square.", .formula = "y = x^2", .gradient = vjp, .rounds_once = true});
}

}  // namespace graphrun::ops
