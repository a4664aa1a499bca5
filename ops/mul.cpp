#include "ops/elementwise.hpp"
#include "ops/list.hpp"
#include "ops/pattern.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a * b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a * b; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return wanted_gradients(
      context, [&] { return t.g * t.x(1); }, [&] { return t.g * t.x(0); });
}

/// x * 1 is x, and x * -1 is -x.
std::optional<NodeId> simplify(CanonicaliseContext& context) {
  for (const std::size_t i : {0U, 1U}) {
    if (const auto x = without_neutral(context, i, 1)) return x;
    if (const auto x = without_neutral(context, i, -1)) return -Term(context.builder, *x);
  }
  return simplify_elementwise(context);
}

}  // namespace

Op mul() {
  Op op = elementwise<Body>({.name = "mul",
                             .doc = "Product of two operands, element by element.",
                             .formula = "y = a * b",
                             .inputs = two_operands(),
                             .gradient = vjp});
  op.definition.traits.commutative = true;
  op.definition.simplify = simplify;
  return op;
}

}  // namespace graphrun::ops
