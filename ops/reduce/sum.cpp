#include <algorithm>

#include "graph/broadcast.hpp"
#include "ops/op.hpp"
#include "ops/reduce/reduction.hpp"

namespace graphrun::ops {
namespace {

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const std::vector<std::size_t> target = reduction_targets(x.extents, context.node.attributes.axes("axis"));
  for (std::size_t i = 0; i < x.values.size(); ++i) context.output.values[target[i]] += x.values[i];
}

Gradients vjp(VjpContext& context) {
  const NodeId g = with_kept_dims(context.builder, context.cotangent, context.node());
  const Shape& shape = context.builder.type(context.input(0)).shape;
  if (context.builder.type(g).shape == shape) return {g};
  return {context.builder.add("broadcast_to", {g}, {{"shape", shape}})};
}

/// A sum over no axis is its input, but that -0 becomes 0.
std::optional<NodeId> over_nothing(RuleContext& context) {
  const NodeId x = context.node.inputs[0];
  const Shape& shape = context.builder.type(x).shape;
  const bool none = reduced_axes(context.node.attributes.axes("axis"), shape).empty();
  return none ? std::optional(x) : std::nullopt;
}

/// A sum over batch and other axes is a sum per row, which runs in slices, and then one over the rows.
std::optional<NodeId> rows_first(RuleContext& context) {
  const NodeId x = context.node.inputs[0];
  const Shape& shape = context.builder.type(x).shape;
  const std::vector<std::size_t> axes = reduced_axes(context.node.attributes.axes("axis"), shape);
  const auto is_number = [&shape](std::size_t axis) { return shape[axis].is_number(); };
  if (std::ranges::all_of(axes, is_number) || std::ranges::none_of(axes, is_number)) return std::nullopt;
  return summed(context.builder, x, axes, context.node.attributes.flag("keepdims"),
                {context.node.name, context.node.origin, {}});
}

struct SquareOfDifference {
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return (a - b) * (a - b); }
};
struct Square {
  [[gnu::always_inline]] static float apply(const float*, float a) { return a * a; }
};
struct Product {
  [[gnu::always_inline]] static float apply(const float*, float a, float b) { return a * b; }
};

}  // namespace

Op sum() {
  OpDef op = reduction("sum", "the axes to sum over; all by default");
  op.doc = "Sum over axes.";
  op.formula = "y = sum of x over `axis`";
  op.reference = reference;
  op.gradient = vjp;
  op.traits.adds_rows = true;
  op.rules = {{"sum_over_nothing", Phase::real, over_nothing, {"axis", "keepdims"}},
              {"sum_of_rows_first", Phase::real, rows_first, {"axis", "keepdims"}}};
  return {std::move(op),
          {.folds = {runtime::fused_sum<SquareOfDifference, 2>("sum(square(sub(a, b)))"),
                     runtime::fused_sum<Square, 1>("sum(square(a))"),
                     runtime::fused_sum<Product, 2>("sum(mul(a, b))")},
           .reduction = runtime::ReductionKind::sum,
           .make = make_sum}};
}

}  // namespace graphrun::ops
