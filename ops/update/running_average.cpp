#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& value = context.inputs[0];
  require_f32(value, "value");
  if (value != context.inputs[1]) {
    throw OpError(fmt::format("both inputs must be alike: value is {}, average is {}", to_string(value),
                              to_string(context.inputs[1])));
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
  op.attributes = {number("momentum", 0.1, {.low = 0, .high = 1, .above = true},
                          "the share of the new value in the average")};
  op.infer = infer;
  op.axes = same_axes;
  op.gradient = NotDifferentiable{"the mode (training or evaluation) is not chosen yet"};
  op.traits.mode = true;
  op.traits.running = true;
  return {std::move(op), {}};
}

}  // namespace graphrun::ops
