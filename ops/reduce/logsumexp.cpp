
#include "ops/op.hpp"
#include "ops/reduce/along_axis.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  using Output = float;
  [[gnu::always_inline]] static void vector(const float* x, float* y, std::size_t length,
                                            std::size_t stride) noexcept {
    const float largest = fold<MaxFold>(x, length, stride);
    const bool finite = largest - largest == 0;
    const float shift = finite ? largest : 0;
    const float total = fold_of<SumFold>(
        length, [ x, stride, shift ](std::size_t i)
                    __attribute__((always_inline)) { return runtime::vector_exp(x[i * stride] - shift); });
    *y = shift + runtime::vector_log(total);
  }
};

/// The axis goes, or stays as 1 with `keepdims`.
Type infer(const InferContext& context) {
  const std::size_t axis = checked_axis(context);
  Shape shape = context.inputs[0].shape;
  shape[axis] = Dim::number(1);
  if (!context.attributes.flag("keepdims")) shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return {DType::f32, shape};
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const AxisLayout layout(context.node.attributes, x.extents);
  for_each_vector(layout, [&](std::size_t vector, auto index) {
    context.output.values[vector] = reference_logsumexp(x.values, layout.length, index);
  });
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const std::int64_t axis = context.node().attributes.integer("axis");
  Shape kept = t.x().type().shape;
  kept[resolved_axis(axis, kept)] = Dim::number(1);
  const Term g = call("reshape", {t.g}, {{"shape", kept}});
  return {g * call("softmax", {t.x()}, {{"axis", axis}})};
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  return {10 * count, 4 * count};
}

}  // namespace

Op logsumexp() {
  OpDef op;
  op.name = "logsumexp";
  op.doc = "The logarithm of a sum of exponentials, without overflow.";
  op.formula = "y = log(sum of exp(x) over `axis`)";
  op.shapes = "[...] -> [... without the axis], or with 1 in its place";
  op.inputs = {{"x", "any shape but a scalar"}};
  op.attributes = {axis_attribute("the axis to sum over"), keepdims_attribute()};
  op.infer = infer;
  op.axes = axes_but_one;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  return {std::move(op), {.make = make_along_axis<Body, true>}};
}

}  // namespace graphrun::ops
