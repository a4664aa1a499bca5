#include "ops/elementwise.hpp"
#include "ops/list.hpp"
#include "ops/pattern.hpp"
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

std::optional<NodeId> simplify(CanonicaliseContext& context) {
  const auto* negated = inputs_of(context.builder, context.node.inputs[0], "neg");
  return negated == nullptr ? std::nullopt : std::optional(negated->front());
}

}  // namespace

Op neg() {
  Op op = elementwise<Body>({.name = "neg", .doc = "Negation.", .formula = "y = -x", .gradient = vjp});
  op.definition.simplify = simplify;
  return op;
}

}  // namespace graphrun::ops
