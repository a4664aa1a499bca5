#include <cmath>
#include <limits>

#include "ops/elementwise.hpp"
#include "ops/list.hpp"
#include "ops/vjp.hpp"
#include "runtime/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(const Attributes& attributes, double x) {
    const double floor = attributes.number("floor");
    const double y = std::log(x);
    return y < floor ? floor : y;
  }
  [[gnu::always_inline]] static float apply(const float* immediates, float x) {
    const float y = runtime::vector_log(x);
    return y < immediates[0] ? immediates[0] : y;
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const double floor = context.node().attributes.number("floor");
  const Term slope = t.g / t.x();
  if (std::isinf(floor)) return {slope};
  const Term above = call("greater", {t.y, constant_like(t.y, floor)});
  return {call("where", {above, slope, constant_like(t.g, 0)})};
}

runtime::Immediates immediates(const Node& node) {
  return {static_cast<float>(node.attributes.number("floor"))};
}

}  // namespace

Op log() {
  constexpr double unlimited = -std::numeric_limits<double>::infinity();
  Op op = elementwise<Body>(
      {.name = "log",
       .doc = "Natural logarithm.",
       .formula = "y = max(ln x, floor)",
       .attributes = {number("floor", unlimited, "no result is lower; there the slope is 0")},
       .gradient = vjp});
  op.kernel.immediates = immediates;
  return op;
}

}  // namespace graphrun::ops
