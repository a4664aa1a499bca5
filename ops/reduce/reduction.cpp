#include "ops/reduce/reduction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "ops/declaration.hpp"

namespace graphrun::ops {
namespace {

std::vector<std::size_t> all_axes(std::size_t rank) {
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0U);
  return axes;
}

bool contains(const std::vector<std::size_t>& axes, std::size_t axis) {
  return std::binary_search(axes.begin(), axes.end(), axis);
}

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  require_f32(x, "x");
  const std::vector<std::size_t> axes = reduced_axes(context.attributes.axes("axis"), x.shape);
  if (context.attributes.flag("keepdims"))
    return {DType::f32, kept_shape(x.shape, context.attributes.axes("axis"))};
  Shape shape;
  for (std::size_t axis = 0; axis < x.shape.size(); ++axis) {
    if (!contains(axes, axis)) shape.push_back(x.shape[axis]);
  }
  return {DType::f32, shape};
}

std::vector<AxisMap> axes_of(const AxesContext& context) {
  const Shape& shape = context.inputs[0].shape;
  const std::vector<std::size_t> axes = reduced_axes(context.attributes.axes("axis"), shape);
  const bool keepdims = context.attributes.flag("keepdims");
  AxisMap map;
  std::int64_t next = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const bool reduced = contains(axes, axis);
    map.push_back(reduced ? contracted : next);
    if (!reduced || keepdims) ++next;
  }
  return {map};
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  return {count, 4 * (count + static_cast<double>(element_count(context.output)))};
}

}  // namespace

OpDef reduction(std::string name, std::string axes_doc) {
  OpDef op;
  op.name = std::move(name);
  op.shapes = "[...] -> [... without the axes], or with 1 in their place";
  op.inputs = {{"x", "any shape"}};
  op.attributes = {axes_attribute(std::move(axes_doc)), keepdims_attribute()};
  op.infer = infer;
  op.axes = axes_of;
  op.cost = cost;
  return op;
}

AttributeDeclaration axes_attribute(std::string doc) {
  return {
      .name = "axis", .kind = AttributeKind::axes, .fallback = AttributeValue(Axes{}), .doc = std::move(doc)};
}

AttributeDeclaration keepdims_attribute() {
  return flag("keepdims", false, "keep the reduced axes with extent 1");
}

std::vector<std::size_t> reduced_axes(const Axes& axes, const Shape& shape) {
  if (axes.all) return all_axes(shape.size());
  std::vector<std::size_t> resolved;
  for (const std::int64_t axis : axes.list) resolved.push_back(resolved_axis(axis, shape));
  std::sort(resolved.begin(), resolved.end());
  const auto twice = std::adjacent_find(resolved.begin(), resolved.end());
  if (twice != resolved.end()) throw OpError(fmt::format("axis {} is named twice", *twice), {}, "axis");
  return resolved;
}

std::vector<std::size_t> reduced_axes(const Axes& axes, std::size_t rank) {
  return reduced_axes(axes, Shape(rank, Dim::number(1)));
}

Shape kept_shape(const Shape& shape, const Axes& axes) {
  Shape kept = shape;
  for (const std::size_t axis : reduced_axes(axes, shape)) kept[axis] = Dim::number(1);
  return kept;
}

NodeId with_kept_dims(Builder& builder, NodeId reduced, const Node& reduction) {
  const Shape kept = kept_shape(builder.type(reduction.inputs[0]).shape, reduction.attributes.axes("axis"));
  if (builder.type(reduced).shape == kept) return reduced;
  return builder.add("reshape", {reduced}, {{"shape", kept}});
}

std::vector<std::size_t> reduction_targets(const Extents& input, const Axes& axes) {
  const std::vector<std::size_t> reduced = reduced_axes(axes, input.size());
  std::vector<std::size_t> targets(static_cast<std::size_t>(element_count(input)), 0);
  std::size_t input_stride = 1;
  std::size_t output_stride = 1;
  for (std::size_t axis = input.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(input[axis]);
    if (!contains(reduced, axis)) {
      for (std::size_t i = 0; i < targets.size(); ++i)
        targets[i] += (i / input_stride) % extent * output_stride;
      output_stride *= extent;
    }
    input_stride *= extent;
  }
  return targets;
}

}  // namespace graphrun::ops
