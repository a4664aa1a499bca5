#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/elementwise/pattern.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

Term zero_where(Term tested, Term value) {
  const Term zero = constant_like(value, 0);
  return call("where", {call("equal", {tested, zero}), zero, value});
}

Term base_gradient(const VjpTerms& t) {
  const Term a = t.x(0);
  const Term b = t.x(1);
  const std::optional<double> exponent = scalar_constant(a.builder(), b);
  if (exponent && *exponent != 0)
    return t.g * (*exponent * call("pow", {a, constant_like(a, *exponent - 1)}));
  return zero_where(b, t.g * (b * call("pow", {a, b - 1.0})));
}

struct Body {
  static double exact(double a, double b) { return std::pow(a, b); }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) {
    return runtime::vector_pow(a, b);
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return wanted_gradients(
      context, [&] { return base_gradient(t); },
      [&] { return zero_where(t.x(0), t.g * (t.y * call("log", {t.x(0)}))); });
}

std::optional<NodeId> whole_exponent(RuleContext& context) {
  const Term a(context.builder, context.node.inputs[0]);
  const std::optional<double> exponent = scalar_constant(context.builder, context.node.inputs[1]);
  if (exponent == 1.0) return a;
  if (exponent == 2.0) return call("square", {a});
  if (exponent == 3.0) return a * call("square", {a});
  if (exponent == 0.5) return call("sqrt", {a});
  if (exponent == -1.0) return 1.0 / a;
  return std::nullopt;
}

}  // namespace

Op pow() {
  Op op = elementwise<Body>(
      {.name = "pow",
       .doc = "Power. A negative base needs a whole exponent, and has no gradient with respect to it.",
       .formula = "y = a^b",
       .inputs = two_operands(),
       .gradient = vjp});
  op.definition.rules = {{"power_by_products", Phase::real, whole_exponent}};
  return op;
}

}  // namespace graphrun::ops
