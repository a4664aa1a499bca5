#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_f32(context.inputs[0], "y");
  require_f32(context.inputs[1], "x");
  return context.inputs[1];
}

}  // namespace

Op grad() {
  OpDef op;
  op.name = "grad";
  op.doc = "The gradient of the sum of y at x; a node like any, so it can be differentiated again.";
  op.formula = "g = d(sum y)/dx";
  op.shapes = "[...], shape -> shape";
  op.inputs = {{"y", "what is differentiated"}, {"x", "where: any node that y depends on"}};
  op.infer = infer;
  op.gradient = NotDifferentiable{"it is a placeholder that autograd replaces first"};
  op.traits.gradient = true;
  return {std::move(op), {}};
}

}  // namespace graphrun::ops
