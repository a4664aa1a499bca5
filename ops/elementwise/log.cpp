#include <cmath>
#include <limits>

#include "ops/elementwise/elementwise.hpp"
#include "ops/elementwise/pattern.hpp"
#include "ops/list.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(const Attributes& attributes, double x) {
    const double floor = attributes.number("floor");
    const double y = std::log(x);
    return y < floor ? floor : y;
  }
  [[gnu::always_inline]] static float apply(const float* immediates, float x) {
    const float y = runtime::vector_log(x);
    return y < immediates[0] ? immediates[0] : y;
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const double floor = context.node().attributes.number("floor");
  const Term slope = t.g / t.x();
  if (std::isinf(floor)) return {slope};
  const Term above = call("greater", {t.y, constant_like(t.y, floor)});
  return {call("where", {above, slope, constant_like(t.g, 0)})};
}

/// ln(sigmoid(z)) = -softplus(-z) and ln(1 - sigmoid(z)) = -softplus(z): nothing is lost where the sigmoid
/// rounds to 0 or 1, so no floor is needed either.
std::optional<NodeId> canonicalise(CanonicaliseContext& context) {
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
  return {static_cast<float>(node.attributes.number("floor"))};
}

}  // namespace

Op log() {
  constexpr double unlimited = -std::numeric_limits<double>::infinity();
  Op op = elementwise<Body>(
      {.name = "log",
       .doc = "Natural logarithm.",
       .formula = "y = max(ln x, floor)",
       .attributes = {number("floor", unlimited, "no result is lower; there the slope is 0")},
       .gradient = vjp});
  op.definition.canonicalise = canonicalise;
  op.kernel.immediates = immediates;
  return op;
}

}  // namespace graphrun::ops
