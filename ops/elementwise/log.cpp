#include <cmath>
#include <limits>

#include "ops/elementwise/elementwise.hpp"
#include "ops/elementwise/pattern.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(const Attributes& attributes, double x) {
    const double floor = attributes.number("floor");
    const double y = x == 0 ? attributes.number("at_zero") : std::log(x);
    return y < floor ? floor : y;
  }
  [[gnu::always_inline]] static float apply(const float* immediates, float x) {
    const float y = x == 0 ? immediates[1] : runtime::vector_log(x);
    return y < immediates[0] ? immediates[0] : y;
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Attributes& attributes = context.node().attributes;
  Term slope = t.g / t.x();
  const auto only_above = [&](Term value, double limit) {
    const Term above = call("greater", {value, constant_like(value, limit)});
    slope = call("where", {above, slope, constant_like(t.g, 0)});
  };
  if (const double at_zero = attributes.number("at_zero"); !std::isinf(at_zero)) only_above(t.x(), 0);
  if (const double floor = attributes.number("floor"); !std::isinf(floor)) only_above(t.y, floor);
  return {slope};
}

/// ln(sigmoid(z)) = -softplus(-z) and ln(1 - sigmoid(z)) = -softplus(z): nothing is lost where the sigmoid
/// rounds to 0 or 1. It never is 0, so it does not matter what the logarithm of 0 is taken for.
std::optional<NodeId> of_sigmoid(RuleContext& context) {
  const Builder& builder = context.builder;
  const NodeId x = context.node.inputs[0];
  const auto softplus = [&](NodeId z) { return call("softplus", {Term(context.builder, z)}); };
  if (const auto* z = inputs_of(builder, x, "sigmoid")) return -softplus(-Term(context.builder, z->front()));
  const auto* difference = inputs_of(builder, x, "sub");
  if (difference == nullptr || scalar_constant(builder, difference->at(0)) != 1.0) return std::nullopt;
  const auto* z = inputs_of(builder, difference->at(1), "sigmoid");
  return z == nullptr ? std::nullopt : std::optional<NodeId>(-softplus(z->front()));
}

runtime::Immediates immediates(const Node& node) {
  return {static_cast<float>(node.attributes.number("floor")),
          static_cast<float>(node.attributes.number("at_zero"))};
}

}  // namespace

Op log() {
  constexpr double unlimited = -std::numeric_limits<double>::infinity();
  Op op = elementwise<Body>(
      {.name = "log",
       .doc = "Natural logarithm.",
       .formula = "y = max(ln x, floor)",
       .attributes = {number("floor", unlimited, {.below = true}, "no result is lower; there the slope is 0"),
                      number("at_zero", unlimited, {.below = true},
                             "what the logarithm of 0 is taken for; there the slope is 0")},
       .gradient = vjp});
  op.definition.rules = {{"log_of_sigmoid", Phase::real, of_sigmoid, {"at_zero"}}};
  op.kernel.immediates = immediates;
  return op;
}

}  // namespace graphrun::ops
