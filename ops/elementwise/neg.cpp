#include "ops/elementwise/elementwise.hpp"
#include "ops/elementwise/pattern.hpp"
#include "ops/list.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return -x; }
  [[gnu::always_inline]] static float apply(const float*, float x) { return -x; }
};

Gradients vjp(VjpContext& context) {
  return {-VjpTerms(context).g};
}

/// -(-x) is x.
std::optional<NodeId> simplify(CanonicaliseContext& context) {
  if (const auto* x = inputs_of(context.builder, context.node.inputs[0], "neg")) return x->front();
  return simplify_elementwise(context);
}

}  // namespace

Op neg() {
  Op op = elementwise<Body>({.name = "neg", .doc = "Negation.", .formula = "y = -x", .gradient = vjp});
  op.definition.simplify = simplify;
  return op;
}

}  // namespace graphrun::ops
