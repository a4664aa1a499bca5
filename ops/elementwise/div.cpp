#include "ops/elementwise/elementwise.hpp"
#include "ops/elementwise/pattern.hpp"
#include "ops/list.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a / b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a / b; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return wanted_gradients(
      context, [&] { return t.g / t.x(1); }, [&] { return -(t.g * t.y / t.x(1)); });
}

/// x / 1 is x.
std::optional<NodeId> simplify(CanonicaliseContext& context) {
  if (const auto x = without_neutral(context, 0, 1)) return x;
  return simplify_elementwise(context);
}

}  // namespace

Op div() {
  Op op = elementwise<Body>({.name = "div",
                             .doc = "Quotient of two operands.",
                             .formula = "y = a / b",
                             .inputs = two_operands(),
                             .gradient = vjp});
  op.definition.simplify = simplify;
  return op;
}

}  // namespace graphrun::ops
