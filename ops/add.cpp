#include "ops/elementwise.hpp"
#include "ops/list.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a + b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a + b; }
};

Gradients vjp(VjpContext& context) {
  return {context.cotangent, context.cotangent};
}

}  // namespace

Op add() {
  Op op = elementwise<Body>({.name = "add",
                             .doc = "Sum of two operands.",
                             .formula = "y = a + b",
                             .inputs = two_operands(),
                             .gradient = vjp});
  op.definition.traits.commutative = true;
  return op;
}

}  // namespace graphrun::ops
