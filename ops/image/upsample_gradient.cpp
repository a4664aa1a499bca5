#include <fmt/format.h>

#include "ops/image/upsampling.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "g");
  const Shape& g = context.inputs[0].shape;
  const std::int64_t factor = upsampling_factor(context.attributes);
  if (g[1].offset % factor != 0 || g[2].offset % factor != 0) {
    throw OpError(fmt::format("height and width of g, {}, are no multiples of {}", to_string(g), factor));
  }
  return {DType::f32, {g[0], Dim::number(g[1].offset / factor), Dim::number(g[2].offset / factor), g[3]}};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {{0, contracted, contracted, 3}};
}

void reference(const ReferenceContext& context) {
  reference_upsampling(context, context.output.extents, Direction::gradient);
}

Gradients vjp(VjpContext& context) {
  return {context.builder.add("upsample", {context.cotangent}, context.node().attributes)};
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.inputs[0]));
  return {2 * count, 8 * count};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_upsampling(bound, bound.output, Direction::gradient);
}

}  // namespace

Op upsample_gradient() {
  OpDef op;
  op.name = "upsample_gradient";
  op.doc = "The gradient of upsample: its adjoint.";
  op.formula = "y[p] = sum of g[q] times the weight of p in q";
  op.shapes = "[n, h factor, w factor, c] -> [n, h, w, c]";
  op.inputs = {{"g", "of the enlarged images"}};
  op.attributes = upsampling_attributes();
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  op.internal = true;
  runtime::KernelDef kernel;
  kernel.make = make;
  return {std::move(op), std::move(kernel)};
}

}  // namespace graphrun::ops
