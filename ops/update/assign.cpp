#include <fmt/format.h>

#include <cstring>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  if (context.inputs[0] != context.inputs[1]) {
    throw OpError(fmt::format("the variable is {}, the value {}", to_string(context.inputs[0]),
                              to_string(context.inputs[1])));
  }
  return {DType::none, {}};
}

void reference(const ReferenceContext& context) {
  context.written[0]->values = context.inputs[1]->values;
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call([covered = CoveredElements(bound.inputs[0])](const runtime::CallArguments& a) {
    std::memcpy(a.written[0], a.inputs[1], covered(a) * sizeof(float));
  });
}

}  // namespace

Op assign() {
  OpDef op;
  op.name = "assign";
  op.doc = "Gives a variable a new value: moving averages, running statistics.";
  op.formula = "variable <- value";
  op.shapes = "shape, shape ->";
  op.inputs = {{"variable", "a param"}, {"value", "of the same type"}};
  op.infer = infer;
  op.reference = reference;
  op.gradient = NotDifferentiable{"it has no value"};
  op.traits.effect = true;
  op.writes = {0};
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
