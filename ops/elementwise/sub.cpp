#include "ops/elementwise/elementwise.hpp"
#include "ops/elementwise/pattern.hpp"
#include "ops/list.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a - b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a - b; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return wanted_gradients(
      context, [&] { return t.g; }, [&] { return -t.g; });
}

/// x - 0 is x, and a - (-b) is a + b.
std::optional<NodeId> simplify(CanonicaliseContext& context) {
  const Term a(context.builder, context.node.inputs[0]);
  if (const auto x = without_neutral(context, 0, 0)) return x;
  const auto* negated = inputs_of(context.builder, context.node.inputs[1], "neg");
  if (negated != nullptr) return a + Term(context.builder, negated->front());
  return simplify_elementwise(context);
}

}  // namespace

Op sub() {
  Op op = elementwise<Body>({.name = "sub",
                             .doc = "Difference of two operands.",
                             .formula = "y = a - b",
                             .inputs = two_operands(),
                             .gradient = vjp});
  op.definition.simplify = simplify;
  return op;
}

}  // namespace graphrun::ops
