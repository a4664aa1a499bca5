#include <algorithm>

#include "ops/declaration.hpp"
#include "ops/list.hpp"
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

/// What the axes in `kept` are called when the axes in `gone` have been reduced without keepdims.
std::vector<std::int64_t> renumbered(const std::vector<std::int64_t>& kept,
                                     const std::vector<std::int64_t>& gone) {
  std::vector<std::int64_t> result;
  for (const std::int64_t axis : kept) {
    result.push_back(axis -
                     std::count_if(gone.begin(), gone.end(), [axis](auto other) { return other < axis; }));
  }
  return result;
}

/// A sum over batch and other axes is a sum per row, which runs in slices, and then one over the rows.
std::optional<NodeId> canonicalise(CanonicaliseContext& context) {
  const NodeId x = context.node.inputs[0];
  const Shape& shape = context.builder.type(x).shape;
  std::vector<std::int64_t> batch;
  std::vector<std::int64_t> other;
  for (const std::size_t axis : reduced_axes(context.node.attributes.axes("axis"), shape)) {
    (shape[axis].is_number() ? other : batch).push_back(static_cast<std::int64_t>(axis));
  }
  if (batch.empty() && other.empty()) return x;
  if (batch.empty() || other.empty()) return std::nullopt;
  const bool keepdims = context.node.attributes.flag("keepdims");
  const std::vector<std::int64_t> rows = keepdims ? batch : renumbered(batch, other);
  const NodeId per_row =
      context.builder.add("sum", {x}, {{"axis", Axes{false, other}}, {"keepdims", keepdims}});
  return context.builder.add("sum", {per_row}, {{"axis", Axes{false, rows}}, {"keepdims", keepdims}},
                             {context.node.name, context.node.origin, context.node.controls});
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

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  return {count, 4 * (count + static_cast<double>(element_count(context.output)))};
}

}  // namespace

Op sum() {
  OpDef op;
  op.name = "sum";
  op.doc = "Sum over axes.";
  op.formula = "y = sum of x over `axis`";
  op.shapes = "[...] -> [... without the axes], or with 1 in their place";
  op.inputs = {{"x", "any shape"}};
  op.attributes = {axes_attribute("the axes to sum over; all by default"), keepdims_attribute()};
  op.infer = infer_reduction;
  op.axes = reduction_axes;
  op.reference = reference;
  op.gradient = vjp;
  op.canonicalise = canonicalise;
  op.cost = cost;
  runtime::KernelDef kernel;
  kernel.reduction = runtime::ReductionKind::sum;
  kernel.folds = {runtime::fused_sum<SquareOfDifference, 2>("sum(square(sub(a, b)))"),
                  runtime::fused_sum<Square, 1>("sum(square(a))"),
                  runtime::fused_sum<Product, 2>("sum(mul(a, b))")};
  kernel.make = make_sum;
  return {std::move(op), std::move(kernel)};
}

}  // namespace graphrun::ops
