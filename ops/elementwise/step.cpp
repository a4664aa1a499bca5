#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return x > 0 ? 1 : 0; }
  [[gnu::always_inline]] static float apply(const float*, float x) { return x > 0 ? 1.0F : 0.0F; }
};

}  // namespace

Op step() {
  return elementwise<Body>({.name = "step",
                            .doc = "Unit step: the slope of relu.",
                            .formula = "y = 1 if x > 0 else 0",
                            .gradient = ZeroGradient{},
                            .rounds_once = true});
}

}  // namespace graphrun::ops
