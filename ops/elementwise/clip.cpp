#include <limits>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

struct Body {
  static double exact(const Attributes& attributes, double x) {
    const double low = attributes.number("low");
    const double high = attributes.number("high");
    return x < low ? low : (x > high ? high : x);
  }
  [[gnu::always_inline]] static float apply(const float* immediates, float x) {
    return x < immediates[0] ? immediates[0] : (x > immediates[1] ? immediates[1] : x);
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return {t.g * call("equal", {t.x(), t.y})};
}

runtime::Immediates immediates(const Node& node) {
  return {static_cast<float>(node.attributes.number("low")),
          static_cast<float>(node.attributes.number("high"))};
}

}  // namespace

Op clip() {
  AttributeDeclaration low = number("low", -unlimited, {}, "smallest result");
  low.at_most = "high";
  Op op = elementwise<Body>({.name = "clip",
                             .doc = "Limits values to a range; inside it, limits included, the slope is 1.",
                             .formula = "y = min(max(x, low), high)",
                             .attributes = {low, number("high", unlimited, {}, "largest result")},
                             .gradient = vjp,
                             .rounds_once = true});
  op.kernel.immediates = immediates;
  return op;
}

}  // namespace graphrun::ops
