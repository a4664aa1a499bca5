#include "ops/elementwise/elementwise.hpp"
#include "ops/elementwise/pattern.hpp"
#include "ops/op.hpp"
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

std::optional<NodeId> by_one(RuleContext& context) {
  return without_neutral(context, 0, 1);
}

}  // namespace

Op div() {
  Op op = elementwise<Body>({.name = "div",
                             .doc = "Quotient of two operands.",
                             .formula = "y = a / b",
                             .inputs = two_operands(),
                             .gradient = vjp,
                             .rounds_once = true});
  op.definition.rules = {{"divided_by_one", Phase::exact, by_one}};
  return op;
}

}  // namespace graphrun::ops
