#include "ops/elementwise/pattern.hpp"
#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a * b; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a * b; }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t a, std::int64_t b) { return a * b; }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return wanted_gradients(
      context, [&] { return t.g * t.x(1); }, [&] { return t.g * t.x(0); });
}

/// x * 1 is x, and x * -1 is -x.
std::optional<NodeId> by_one(RuleContext& context) {
  for (const std::size_t i : {0U, 1U}) {
    if (const auto x = without_neutral(context, i, 1)) return x;
    if (const auto x = without_neutral(context, i, -1)) return -Term(context.builder, *x);
  }
  return std::nullopt;
}

// ---- The backward pass of an activation, and of a squared error behind one: a cotangent times a slope.

struct TanhGradient {
  [[gnu::always_inline]] static float apply(const float*, float g, float one, float y) {
    return g * (one - y * y);
  }
};
struct SigmoidGradient {
  [[gnu::always_inline]] static float apply(const float*, float g, float y, float one) {
    return g * (y * (one - y));
  }
};
struct StepGradient {
  [[gnu::always_inline]] static float apply(const float*, float g, float y) {
    return g * (y > 0 ? 1.0F : 0.0F);
  }
};
struct ErrorOfSigmoid {
  [[gnu::always_inline]] static float apply(const float*, float c, float y, float x, float one) {
    return (c * (y - x)) * (y * (one - y));
  }
};
struct Error {
  [[gnu::always_inline]] static float apply(const float*, float c, float y, float x) { return c * (y - x); }
};

std::vector<runtime::FusedForm<runtime::VectorKernel>> forms() {
  using runtime::fused_form;
  using runtime::PostOp;
  return {fused_form<ErrorOfSigmoid, 4>("mul(mul(c, sub(y, x)), mul(y, sub(one, y)))"),
          fused_form<SigmoidGradient, 3>("mul(g, mul(y, sub(one, y)))",
                                         {{.kind = PostOp::sigmoid, .cotangent = 0, .result = 1, .one = 2}}),
          fused_form<TanhGradient, 3>("mul(g, sub(one, square(y)))",
                                      {{.kind = PostOp::tanh, .cotangent = 0, .result = 2, .one = 1}}),
          fused_form<StepGradient, 2>("mul(g, step(y))"), fused_form<Error, 3>("mul(c, sub(y, x))")};
}

}  // namespace

Op mul() {
  Op op = elementwise_of_either<Body, Whole>({.name = "mul",
                                              .doc = "Product of two operands, element by element.",
                                              .formula = "y = a * b",
                                              .inputs = two_operands(),
                                              .gradient = vjp,
                                              .rounds_once = true});
  op.definition.traits.bitwise_commutative = true;
  op.definition.rules = {{"times_one", Phase::exact, by_one}};
  op.kernel.forms = forms();
  return op;
}

}  // namespace graphrun::ops
