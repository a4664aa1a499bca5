#include <fmt/format.h>

#include <algorithm>

#include "ops/index/elements_along_axis.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_indices(context.inputs[0], "index");
  require_f32(context.inputs[1], "g");
  const Shape& shape = context.attributes.shape("shape");
  const std::size_t axis = resolved_axis(context.attributes.integer("axis"), shape);
  require_same_but_axis(shape, context.inputs[0].shape, axis);
  if (context.inputs[1].shape != context.inputs[0].shape) {
    throw OpError(fmt::format("g must be as large as index, {}, but is {}",
                              to_string(context.inputs[0].shape), to_string(context.inputs[1].shape)));
  }
  return {DType::f32, shape};
}

std::vector<AxisMap> axes(const AxesContext& context) {
  const Shape& shape = context.output.shape;
  const std::size_t axis = resolved_axis(context.attributes.integer("axis"), shape);
  return {all_but_axis(shape.size(), axis), all_but_axis(shape.size(), axis)};
}

/// In index order.
void reference(const ReferenceContext& context) {
  const HostTensor& index = *context.inputs[0];
  HostTensor& y = context.output;
  const std::size_t axis = *normalised_axis(context.node.attributes.integer("axis"), y.extents.size());
  const auto read = [&](std::size_t i) { return static_cast<std::int64_t>(index.values[i]); };
  for_each_place(CutAtAxis(index.extents, axis), static_cast<std::size_t>(y.extents[axis]),
                 index.values.size(), read, [&](std::size_t i, std::size_t place) {
                   if (place != nowhere) y.values[place] += context.inputs[1]->values[i];
                 });
}

Gradients vjp(VjpContext& context) {
  return {std::nullopt, context.builder.add("gather_elements", {context.cotangent, context.input(0)},
                                            {{"axis", context.node().attributes.integer("axis")}})};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const std::size_t axis = *normalised_axis(bound.node.attributes.integer("axis"), bound.output.size());
  return runtime::make_call([index = CutAtAxis(bound.inputs[0], axis),
                             height = static_cast<std::size_t>(bound.output[axis]),
                             per_row = axis == 0 ? static_cast<std::size_t>(element_count(bound.inputs[0]))
                                                 : elements_per_row(bound.inputs[0]),
                             whole = axis == 0, read = IndexReader(bound.input_types[0].dtype),
                             covered = CoveredElements(bound.output)](const runtime::CallArguments& a) {
    const float* const g = input_as<float>(a, 1);
    float* const y = output_as<float>(a);
    std::fill_n(y, covered(a), 0.0F);
    const std::size_t count = whole ? per_row : per_row * static_cast<std::size_t>(a.row_count);
    for_each_place(
        index, height, count, [&](std::size_t i) { return read(a.inputs[0], i); },
        [&](std::size_t i, std::size_t place) {
          if (place != nowhere) y[place] += g[i];
        });
  });
}

}  // namespace

Op scatter_elements_add() {
  OpDef op;
  op.name = "scatter_elements_add";
  op.doc = "Adds elements to zeros, each at its own index along an axis: the adjoint of gather_elements.";
  op.formula = "y[i, j, k] = sum of g[i, l, k] over index[i, l, k] = j along axis 1";
  op.shapes = "i32 [..., m, ...], [..., m, ...] -> shape";
  op.inputs = {{"index", "integers; those out of range are left out"}, {"g", "one number for each index"}};
  op.attributes = {shape_attribute({}, "the shape of the result"), axis(-1, "along which the index points")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
