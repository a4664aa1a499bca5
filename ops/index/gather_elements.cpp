#include "ops/index/elements_along_axis.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Shape& x = context.inputs[0].shape;
  require_f32(context.inputs[0], "x");
  require_indices(context.inputs[1], "index");
  const std::size_t axis = resolved_axis(context.attributes.integer("axis"), x);
  require_same_but_axis(x, context.inputs[1].shape, axis);
  return {DType::f32, context.inputs[1].shape};
}

std::vector<AxisMap> axes(const AxesContext& context) {
  const std::size_t rank = context.output.shape.size();
  const std::size_t axis = resolved_axis(context.attributes.integer("axis"), context.output.shape);
  AxisMap index(rank);
  for (std::size_t i = 0; i < rank; ++i) index[i] = static_cast<std::int64_t>(i);
  return {all_but_axis(rank, axis), index};
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const HostTensor& index = *context.inputs[1];
  const std::size_t axis = *normalised_axis(context.node.attributes.integer("axis"), x.extents.size());
  std::vector<double>& y = context.output.values;
  const auto read = [&](std::size_t i) { return static_cast<std::int64_t>(index.values[i]); };
  for_each_place(
      CutAtAxis(index.extents, axis), static_cast<std::size_t>(x.extents[axis]), y.size(), read,
      [&](std::size_t i, std::size_t place) { y[i] = place == nowhere ? std::nan("") : x.values[place]; });
}

Gradients vjp(VjpContext& context) {
  const Shape& shape = context.builder.type(context.input(0)).shape;
  return {context.builder.add("scatter_elements_add", {context.input(1), context.cotangent},
                              {{"shape", shape}, {"axis", context.node().attributes.integer("axis")}}),
          std::nullopt};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const std::size_t axis = *normalised_axis(bound.node.attributes.integer("axis"), bound.output.size());
  return runtime::make_call([index = CutAtAxis(bound.output, axis),
                             height = static_cast<std::size_t>(bound.inputs[0][axis]),
                             read = IndexReader(bound.input_types[1].dtype),
                             covered = CoveredElements(bound.output)](const runtime::CallArguments& a) {
    const float* const x = input_as<float>(a, 0);
    float* const y = output_as<float>(a);
    for_each_place(
        index, height, covered(a), [&](std::size_t i) { return read(a.inputs[1], i); },
        [&](std::size_t i, std::size_t place) { y[i] = place == nowhere ? out_of_range : x[place]; });
  });
}

}  // namespace

Op gather_elements() {
  OpDef op;
  op.name = "gather_elements";
  op.doc = "Elements picked along an axis, each by an index of its own; one out of range gives NaN.";
  op.formula = "y[i, j, k] = x[i, index[i, j, k], k] along axis 1";
  op.shapes = "[..., n, ...], i32 [..., m, ...] -> [..., m, ...]";
  op.inputs = {{"x", "at least one axis"},
               {"index", "integers from 0 to n - 1, of x's sizes but along the axis"}};
  op.attributes = {axis(-1, "along which is picked")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
