#include <fmt/format.h>

#include <algorithm>

#include "ops/declaration.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Shape& shape = checked_shape(context.attributes);
  const bool fixed = std::all_of(shape.begin(), shape.end(), [](Dim dim) { return dim.is_number(); });
  if (!fixed) {
    throw OpError(fmt::format("a parameter's shape cannot hold the batch: {}", to_string(shape)),
                  "A parameter is the same for every sample: write numbers.", "shape");
  }
  return {DType::f32, shape};
}

}  // namespace

Op param() {
  OpDef op;
  op.name = "param";
  op.doc = "A variable that training changes and a checkpoint keeps, under the node's name.";
  op.formula = "y = the variable";
  op.shapes = "-> shape";
  op.attributes = {shape_attribute({}, "its shape, such as [784, 128]"),
                   {.name = "init",
                    .kind = AttributeKind::initializer,
                    .fallback = AttributeValue(Initializer{}),
                    .doc = "how it starts"},
                   flag("trainable", true, "false: nothing learns it, as running averages are")};
  op.infer = infer;
  op.gradient = ZeroGradient{};
  op.traits.variable = true;
  return {std::move(op), {}};
}

}  // namespace graphrun::ops
