#include <cmath>

#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return std::abs(x); }
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_abs(x); }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t x) { return x < 0 ? -x : x; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * call("sign", {t.x()})};
}

}  // namespace

Op abs() {
  return elementwise_of_either<Body, Whole>({.name = "abs",
                                             .doc = "Absolute value; its slope at 0 is 0.",
                                             .formula = "y = |x|",
                                             .gradient = vjp,
                                             .rounds_once = true});
}

}  // namespace graphrun::ops
