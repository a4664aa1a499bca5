#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return x > 0 ? 1 : (x < 0 ? -1 : x); }
  [[gnu::always_inline]] static float apply(const float*, float x) {
    return x > 0 ? 1.0F : (x < 0 ? -1.0F : x);
  }
};

}  // namespace

Op sign() {
  return elementwise<Body>({.name = "sign",
                            .doc = "Sign: -1, 0 or 1. Its gradient is zero.",
                            .formula = "y = 1 if x > 0, -1 if x < 0, else x",
                            .gradient = ZeroGradient{},
                            .rounds_once = true});
}

}  // namespace graphrun::ops
