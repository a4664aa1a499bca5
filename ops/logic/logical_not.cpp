#include "ops/elementwise/whole_numbers.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return x == 0 ? 1 : 0; }
  [[gnu::always_inline]] static float apply(const float*, float x) { return x == 0 ? 1.0F : 0.0F; }
};
struct Whole {
  [[gnu::always_inline]] static bool of(std::int64_t x) { return x == 0; }
};

}  // namespace

Op logical_not() {
  return elementwise_of_either<Body, Whole>({.name = "logical_not",
                                             .doc = "Where x is 0: 1, else 0. Its gradient is zero.",
                                             .formula = "y = 1 if x == 0 else 0",
                                             .gradient = ZeroGradient{},
                                             .rounds_once = true});
}

}  // namespace graphrun::ops
