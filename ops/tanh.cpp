#include <cmath>

#include "graph/term.hpp"
#include "ops/elementwise.hpp"
#include "ops/list.hpp"
#include "runtime/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  [[gnu::always_inline]] static float apply(const float*, float x) { return runtime::vector_tanh(x); }
};

Gradients vjp(VjpContext& context) {
  const Term y(context.builder, context.output);
  const Term g(context.builder, context.cotangent);
  return {g * (1.0 - call("square", {y}))};
}

void reference(const ReferenceContext& context) {
  reference_unary(context, [](double x) { return std::tanh(x); });
}

}  // namespace

Op tanh() {
  OpDef op;
  op.name = "tanh";
  op.doc = "Hyperbolic tangent.";
  op.formula = "y = tanh(x)";
  op.shapes = "[...] -> [...]";
  op.inputs = {{"x", "any shape"}};
  op.infer = infer_elementwise;
  op.axes = elementwise_axes;
  op.reference = reference;
  op.gradient = vjp;
  op.traits.elementwise = true;
  runtime::KernelDef kernel;
  kernel.vector = runtime::vector_kernel<Body, 1>();
  kernel.post_op = [](const Node&) { return std::optional(runtime::PostOpSpec{runtime::PostOp::tanh}); };
  return {std::move(op), std::move(kernel)};
}

}  // namespace graphrun::ops
