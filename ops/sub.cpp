#include "ops/elementwise.hpp"
#include "ops/list.hpp"
#include "ops/pattern.hpp"
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

/// x - 0, and not x + 0: that turns -0 into 0.
std::optional<NodeId> simplify(CanonicaliseContext& context) {
  return without_neutral(context, 0, 0.0);
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
