#include "ops/elementwise/pattern.hpp"
#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a - b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a - b; }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t a, std::int64_t b) { return a - b; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return wanted_gradients(
      context, [&] { return t.g; }, [&] { return -t.g; });
}

std::optional<NodeId> zero(RuleContext& context) {
  return without_neutral(context, 0, 0);
}

/// a - (-b) is a + b.
std::optional<NodeId> of_negated(RuleContext& context) {
  const auto* negated = inputs_of(context.builder, context.node.inputs[1], "neg");
  if (negated == nullptr) return std::nullopt;
  return Term(context.builder, context.node.inputs[0]) + Term(context.builder, negated->front());
}

}  // namespace

Op sub() {
  Op op = elementwise_of_either<Body, Whole>({.name = "sub",
                                              .doc = "Difference of two operands.",
                                              .formula = "y = a - b",
                                              .inputs = two_operands(),
                                              .gradient = vjp,
                                              .rounds_once = true});
  op.definition.rules = {{"minus_zero", Phase::exact, zero},
                         {"difference_with_negated", Phase::exact, of_negated}};
  return op;
}

}  // namespace graphrun::ops
