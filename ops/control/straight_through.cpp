#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& value = context.inputs[0];
  const Type& gradient_to = context.inputs[1];
  if (value != gradient_to) {
    throw OpError(fmt::format("both inputs must be alike: value is {}, gradient_to is {}", to_string(value),
                              to_string(gradient_to)));
  }
  return value;
}

Gradients vjp(VjpContext& context) {
  return {std::nullopt, context.cotangent};
}

}  // namespace

Op straight_through() {
  OpDef op;
  op.name = "straight_through";
  op.doc = "The value of one node with the gradient of another.";
  op.formula = "y = value, dy/dvalue = 0, dy/dgradient_to = 1";
  op.shapes = "[...], [...] -> [...]";
  op.inputs = {{"value", "what it is worth"}, {"gradient_to", "where its gradient goes; of the same type"}};
  op.infer = infer;
  op.axes = same_axes;
  op.reference = reference_first;
  op.gradient = vjp;
  op.cost = [](const CostContext&) { return Cost{}; };
  op.traits.forwards_first = true;
  return {std::move(op), {.alias = true}};
}

}  // namespace graphrun::ops
