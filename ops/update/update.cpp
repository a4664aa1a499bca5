#include "ops/update/update.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "ops/declaration.hpp"

namespace graphrun::ops {
namespace {

/// The variable, its slots and the gradient have one shape; everything after them is a scalar. The number of
/// slots follows from where the scalars begin, which every update marks by its learning rate.
Type infer_update(const InferContext& context) {
  const Type& variable = context.inputs[0];
  bool scalars = false;
  for (const Type& input : context.inputs) {
    require_f32(input, "an operand");
    if (input.shape == variable.shape && !scalars) continue;
    scalars = true;
    if (!input.shape.empty()) {
      throw OpError(fmt::format("the variable is {}, but an operand is {}", to_string(variable.shape),
                                to_string(input.shape)));
    }
  }
  return {DType::none, {}};
}

Cost update_cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  const auto full =
      static_cast<double>(std::count(context.inputs.begin(), context.inputs.end(), context.inputs[0]));
  return {4 * full * count, 4 * count * (2 * full - 1)};  // all but the gradient are written, too
}

}  // namespace

AttributeDeclaration setting(std::string name, Range range, std::string doc) {
  return {.name = std::move(name), .kind = AttributeKind::number, .doc = std::move(doc), .range = range};
}

namespace detail {

Op describe_update(UpdateDeclaration declared) {
  OpDef op;
  op.name = std::move(declared.name);
  op.doc = std::move(declared.doc);
  op.formula = std::move(declared.formula);
  op.shapes = "shape, ... ->";
  op.inputs.push_back({"variable", "what is learnt"});
  op.writes.resize(declared.slots.size() + 1);
  std::iota(op.writes.begin(), op.writes.end(), 0U);
  op.inputs.insert(op.inputs.end(), declared.slots.begin(), declared.slots.end());
  op.inputs.push_back({"gradient", "of the loss at the variable"});
  op.inputs.push_back({"learning_rate", "a scalar"});
  op.inputs.insert(op.inputs.end(), declared.scalars.begin(), declared.scalars.end());
  op.attributes = std::move(declared.attributes);
  op.infer = infer_update;
  op.gradient = NotDifferentiable{"it has no value"};
  op.cost = update_cost;
  op.traits.effect = true;
  op.traits.by_element = true;
  op.internal = true;
  return {std::move(op), {}};
}

}  // namespace detail
}  // namespace graphrun::ops
