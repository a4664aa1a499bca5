#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& training = context.inputs[0];
  const Type& otherwise = context.inputs[1];
  if (training != otherwise) {
    throw OpError(fmt::format("both inputs must be alike: training is {}, otherwise is {}",
                              to_string(training), to_string(otherwise)));
  }
  return training;
}

}  // namespace

Op during() {
  OpDef op;
  op.name = "during";
  op.doc = "One value while a model is trained, another when it is used.";
  op.formula = "y = training in training or when: always; otherwise elsewhere";
  op.shapes = "[...], [...] -> [...]";
  op.inputs = {{"training", "the value in training"},
               {"otherwise", "the value in evaluation, of the same type"}};
  op.attributes = {word("when", {"train", "always"}, "train", "train, or always: in evaluation too")};
  op.infer = infer;
  op.axes = same_axes;
  op.gradient = NotDifferentiable{"the mode (training or evaluation) is not chosen yet"};
  op.traits.mode = true;
  return {std::move(op), {}};
}

}  // namespace graphrun::ops
