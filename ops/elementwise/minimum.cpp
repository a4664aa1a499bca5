#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a < b || a != a ? a : b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) {
    return a < b || a != a ? a : b;
  }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  // 1 where the operand wins, 1/2 where both are equal.
  const auto share = [&](Term mine, Term other) {
    return t.g * ((call("less", {mine, other}) + call("less_equal", {mine, other})) * 0.5);
  };
  return wanted_gradients(
      context, [&] { return share(t.x(0), t.x(1)); }, [&] { return share(t.x(1), t.x(0)); });
}

}  // namespace

Op minimum() {
  Op op = elementwise_of_either<Body, Whole>(
      {.name = "minimum",
       .doc = "The smaller of two operands, NaN if one is; equal operands share the gradient.",
       .formula = "y = min(a, b)",
       .inputs = two_operands(),
       .gradient = vjp,
       .rounds_once = true});
  return op;
}

}  // namespace graphrun::ops
