#include "ops/elementwise/pattern.hpp"
#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return -x; }
  [[gnu::always_inline]] static float apply(const float*, float x) { return -x; }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t x) { return -x; }
};

Gradients vjp(VjpContext& context) {
  return {-VjpTerms(context).g};
}

std::optional<NodeId> twice(RuleContext& context) {
  const auto* x = inputs_of(context.builder, context.node.inputs[0], "neg");
  return x == nullptr ? std::nullopt : std::optional(x->front());
}

}  // namespace

Op neg() {
  Op op = elementwise_of_either<Body, Whole>(
      {.name = "neg", .doc = "Negation.", .formula = "y = -x", .gradient = vjp, .rounds_once = true});
  op.definition.rules = {{"negated_twice", Phase::exact, twice}};
  return op;
}

}  // namespace graphrun::ops
