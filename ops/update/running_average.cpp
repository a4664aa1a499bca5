#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/list.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& value = context.inputs[0];
  require_f32(value, "value");
  if (value != context.inputs[1]) {
    throw OpError(fmt::format("both inputs must be alike: value is {}, average is {}", to_string(value),
                              to_string(context.inputs[1])));
  }
  const double momentum = context.attributes.number("momentum");
  if (!(momentum > 0 && momentum <= 1)) {
    throw OpError(fmt::format("momentum must be above 0 and at most 1, but is {}", momentum), {}, "momentum");
  }
  return value;
}

}  // namespace

Op running_average() {
  OpDef op;
  op.name = "running_average";
  op.doc = "A value while a model is trained, which a variable follows step by step; the variable elsewhere.";
  op.formula =
      "y = value in training, and average <- average + momentum (value - average); average elsewhere";
  op.shapes = "[...], [...] -> [...]";
  op.inputs = {{"value", "the value of a batch"},
               {"average", "a param with trainable: false, of the same type"}};
  op.attributes = {{"momentum",
                    AttributeKind::number,
                    AttributeValue(0.1),
                    "the share of the new value in the average",
                    {},
                    false}};
  op.infer = infer;
  op.axes = same_axes;
  op.gradient = NotDifferentiable{"the mode (training or evaluation) is not chosen yet"};
  op.traits.mode = true;
  op.traits.running = true;
  return {std::move(op), {}};
}

}  // namespace graphrun::ops
