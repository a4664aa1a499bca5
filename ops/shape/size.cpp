#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/reduce/reduction.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  reduced_axes(context.attributes.axes("axis"), context.inputs[0].shape);
  return {DType::f32, {}};
}

double count(const Attributes& attributes, const Extents& extents) {
  double product = 1;
  for (const std::size_t axis : reduced_axes(attributes.axes("axis"), extents.size())) {
    product *= static_cast<double>(extents[axis]);
  }
  return product;
}

void reference(const ReferenceContext& context) {
  context.output.values[0] = count(context.node.attributes, context.inputs[0]->extents);
}

/// Without the batch among its axes it is a constant.
std::optional<NodeId> constant_size(RuleContext& context) {
  const Shape& shape = context.builder.type(context.node.inputs[0]).shape;
  Shape counted;
  for (const std::size_t axis : reduced_axes(context.node.attributes.axes("axis"), shape)) {
    if (!shape[axis].is_number()) return std::nullopt;
    counted.push_back(shape[axis]);
  }
  return context.builder.constant(static_cast<double>(element_count(graphrun::bind(counted, 1))));
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const auto value = static_cast<float>(count(bound.node.attributes, bound.inputs[0]));
  return runtime::make_call([value](const runtime::CallArguments& a) { *output_as<float>(a) = value; });
}

}  // namespace

Op size() {
  OpDef op;
  op.name = "size";
  op.doc = "The number of elements along axes; known when the batch is.";
  op.formula = "y = product of the extents of `axis`";
  op.shapes = "[...] -> []";
  op.inputs = {{"x", "any shape and type; no value flows"}};
  op.attributes = {axes_attribute("the axes to count along; all by default")};
  op.infer = infer;
  op.reference = reference;
  op.gradient = ZeroGradient{};
  op.rules = {{"size_of_numbers", Phase::exact, constant_size, {"axis"}, true}};
  op.cost = [](const CostContext&) { return Cost{}; };
  op.traits.size = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
