#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {

Op stop_gradient() {
  OpDef op;
  op.name = "stop_gradient";
  op.doc = "The input, as a constant to gradients.";
  op.formula = "y = x, dy/dx = 0";
  op.shapes = "[...] -> [...]";
  op.inputs = {{"x", "any shape and type"}};
  op.infer = infer_first;
  op.axes = same_axes;
  op.reference = reference_first;
  op.gradient = ZeroGradient{};
  op.cost = [](const CostContext&) { return Cost{}; };
  op.traits.forwards_first = true;
  return {std::move(op), {.alias = true}};
}

}  // namespace graphrun::ops
