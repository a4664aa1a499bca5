#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/shape/strided_copy.hpp"

namespace graphrun::ops {
namespace {

/// The input axis of each output axis; the axes backwards when none are given.
std::vector<std::size_t> permutation(const Attributes& attributes, const Shape& shape) {
  const std::vector<std::int64_t>& written = attributes.integers("axes");
  std::vector<std::size_t> order(shape.size());
  if (written.empty()) {
    std::iota(order.rbegin(), order.rend(), 0U);
    return order;
  }
  if (written.size() != shape.size()) {
    throw OpError(fmt::format("{} axes are named, but the input is {}", written.size(), to_string(shape)),
                  "Name every axis once, in the order of the result.", "axes");
  }
  std::transform(written.begin(), written.end(), order.begin(),
                 [&](std::int64_t axis) { return resolved_axis(axis, shape, "axes"); });
  std::vector<std::size_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) throw OpError(fmt::format("axis {} is named twice", *twice), {}, "axes");
  return order;
}

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  Type y{x.dtype, {}};
  for (const std::size_t axis : permutation(context.attributes, x.shape)) y.shape.push_back(x.shape[axis]);
  return y;
}

std::vector<AxisMap> axes(const AxesContext& context) {
  const std::vector<std::size_t> order = permutation(context.attributes, context.inputs[0].shape);
  AxisMap map(order.size());
  for (std::size_t axis = 0; axis < order.size(); ++axis) map[order[axis]] = static_cast<std::int64_t>(axis);
  return {map};
}

StridedView view(const Node& node, const Extents& input) {
  const std::vector<std::int64_t> dense = dense_strides(input);
  StridedView result;
  for (const std::size_t axis : permutation(node.attributes, Shape(input.size(), Dim::number(1)))) {
    result.strides.push_back(dense[axis]);
  }
  return result;
}

void reference(const ReferenceContext& context) {
  copy_strided(*context.inputs[0], view(context.node, context.inputs[0]->extents), context.output);
}

Gradients vjp(VjpContext& context) {
  const std::vector<std::size_t> order =
      permutation(context.node().attributes, context.builder.type(context.input(0)).shape);
  std::vector<std::int64_t> inverse(order.size());
  for (std::size_t axis = 0; axis < order.size(); ++axis)
    inverse[order[axis]] = static_cast<std::int64_t>(axis);
  return {context.builder.add("transpose", {context.cotangent}, {{"axes", inverse}})};
}

/// Transpositions in a row are one, and one that moves no axis is none.
std::optional<NodeId> transpose_once(RuleContext& context) {
  NodeId x = context.node.inputs[0];
  std::vector<std::size_t> order = permutation(context.node.attributes, context.builder.type(x).shape);
  const Node& below = context.builder.node(x);
  if (below.op == context.node.op) {
    x = below.inputs[0];
    const std::vector<std::size_t> first = permutation(below.attributes, context.builder.type(x).shape);
    for (std::size_t& axis : order) axis = first[axis];
  }
  if (std::is_sorted(order.begin(), order.end())) return x;
  if (x == context.node.inputs[0]) return std::nullopt;
  return context.builder.add("transpose", {x},
                             {{"axes", std::vector<std::int64_t>(order.begin(), order.end())}});
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_strided_copy(bound.output, view(bound.node, bound.inputs[0]), bound.node.type.dtype);
}

}  // namespace

Op transpose() {
  OpDef op;
  op.name = "transpose";
  op.doc = "The axes in another order.";
  op.formula = "y[i, j] = x[j, i]";
  op.shapes = "[a, b, c] -> [c, b, a], or as `axes` says";
  op.inputs = {{"x", "any shape and type"}};
  op.attributes = {{.name = "axes",
                    .kind = AttributeKind::integers,
                    .fallback = AttributeValue(std::vector<std::int64_t>{}),
                    .doc = "for each axis of the result, the axis of the input; backwards by default",
                    .range = finite()}};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.rules = {{"transpose_of_transpose", Phase::exact, transpose_once, {"axes"}, true}};
  op.traits.moves = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
