#include "ops/elementwise/pattern.hpp"
#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a / b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a / b; }
};
/// Towards zero; by 0 it is 0.
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t a, std::int64_t b) { return b == 0 ? 0 : a / b; }
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
  Op op = elementwise_of_either<Body, Whole>(
      {.name = "div",
       .doc = "Quotient of two operands; of whole numbers towards zero, and 0 by 0.",
       .formula = "y = a / b",
       .inputs = two_operands(),
       .gradient = vjp,
       .rounds_once = true});
  op.definition.rules = {{"divided_by_one", Phase::exact, by_one}};
  return op;
}

}  // namespace graphrun::ops
