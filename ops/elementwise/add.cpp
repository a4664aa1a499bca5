#include "ops/elementwise/pattern.hpp"
#include "ops/elementwise/whole_numbers.hpp"
#include "ops/image/normalised_pool_gradient.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a + b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a + b; }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t a, std::int64_t b) { return a + b; }
};

Gradients vjp(VjpContext& context) {
  return {context.cotangent, context.cotangent};
}

/// Two products t * u and (1 - t) * v, as found in an addition.
struct Mixture {
  NodeId t;
  NodeId u;
  NodeId v;
};

/// p * q as t * u and r * s as (1 - t) * v, when (r = 1 - p); the caller tries the other orders.
std::optional<Mixture> mixture(const Builder& builder, NodeId p, NodeId q, NodeId r, NodeId s) {
  const auto* difference = inputs_of(builder, r, "sub");
  if (difference == nullptr || difference->at(1) != p) return std::nullopt;
  if (scalar_constant(builder, difference->at(0)) != 1.0) return std::nullopt;
  return Mixture{p, q, s};
}

std::optional<Mixture> find_mixture(const Builder& builder, NodeId a, NodeId b) {
  const auto* first = inputs_of(builder, a, "mul");
  const auto* second = inputs_of(builder, b, "mul");
  if (first == nullptr || second == nullptr) return std::nullopt;
  for (const std::size_t i : {0U, 1U}) {
    for (const std::size_t j : {0U, 1U}) {
      const NodeId p = first->at(i);
      const NodeId q = first->at(1 - i);
      const NodeId r = second->at(j);
      const NodeId s = second->at(1 - j);
      if (const auto found = mixture(builder, p, q, r, s)) return found;
      if (const auto found = mixture(builder, r, s, p, q)) return found;
    }
  }
  return std::nullopt;
}

/// t ln(sigmoid(z)) + (1 - t) ln(1 - sigmoid(z)) = t z - softplus(z): the cross entropy of a sigmoid becomes
/// that of its logits. `log` has made its part of it before.
std::optional<NodeId> cross_entropy(RuleContext& context) {
  Builder& builder = context.builder;
  const auto found = find_mixture(builder, context.node.inputs[0], context.node.inputs[1]);
  if (!found) return std::nullopt;
  const std::optional<NodeId> z = log_sigmoid_argument(builder, found->u);
  if (!z || log_one_minus_sigmoid_argument(builder, found->v) != z) return std::nullopt;
  const Term logits(builder, *z);
  return Term(builder, found->t) * logits - call("softplus", {logits});
}

/// a + (-b) is a - b. (x + 0 is not x: -0 + 0 is 0.)
std::optional<NodeId> of_negated(RuleContext& context) {
  for (const std::size_t i : {0U, 1U}) {
    const auto* negated = inputs_of(context.builder, context.node.inputs[i], "neg");
    const Term other(context.builder, context.node.inputs[1 - i]);
    if (negated != nullptr) return other - Term(context.builder, negated->front());
  }
  return std::nullopt;
}

}  // namespace

Op add() {
  Op op = elementwise_of_either<Body, Whole>({.name = "add",
                                              .doc = "Sum of two operands.",
                                              .formula = "y = a + b",
                                              .inputs = two_operands(),
                                              .gradient = vjp,
                                              .rounds_once = true});
  op.kernel.addition = true;
  op.definition.traits.bitwise_commutative = true;
  op.definition.rules = {{"cross_entropy_of_sigmoid", Phase::real, cross_entropy},
                         {"sum_with_negated", Phase::exact, of_negated},
                         {"gradient_of_normalised_pool", Phase::exact, as_normalised_pool_gradient}};
  return op;
}

}  // namespace graphrun::ops
