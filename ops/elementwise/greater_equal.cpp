#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a >= b ? 1 : 0; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a >= b ? 1.0F : 0.0F; }
};

}  // namespace

Op greater_equal() {
  return elementwise<Body>({.name = "greater_equal",
                            .doc = "Where a is at least b: 1, else 0. Its gradient is zero.",
                            .formula = "y = 1 if a >= b else 0",
                            .inputs = two_operands(),
                            .gradient = ZeroGradient{},
                            .rounds_once = true});
}

}  // namespace graphrun::ops
