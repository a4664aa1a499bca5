#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  return {dtype_of(context.attributes), checked_shape(context.attributes)};
}

}  // namespace

Op input() {
  OpDef op;
  op.name = "input";
  op.doc = "A value that is fed for every batch.";
  op.formula = "y = what is fed";
  op.shapes = "-> shape";
  op.attributes = {shape_attribute({}, "its shape, such as [batch, 784]"),
                   dtype_attribute("its element type")};
  op.infer = infer;
  op.gradient = ZeroGradient{};
  op.traits.input = true;
  return {std::move(op), {}};
}

}  // namespace graphrun::ops
