#include "ops/image/upsampling.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  const Shape& x = context.inputs[0].shape;
  const std::int64_t factor = upsampling_factor(context.attributes);
  return {DType::f32,
          {x[0], Dim::number(upsampled_side(x[1].offset, factor)),
           Dim::number(upsampled_side(x[2].offset, factor)), x[3]}};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {{0, contracted, contracted, 3}};
}

void reference(const ReferenceContext& context) {
  reference_upsampling(context, context.inputs[0]->extents, Direction::enlarge);
}

Gradients vjp(VjpContext& context) {
  return {context.builder.add("upsample_gradient", {context.cotangent}, context.node().attributes)};
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.output));
  return {2 * count, 8 * count};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_upsampling(bound, bound.inputs[0], Direction::enlarge);
}

}  // namespace

Op upsample() {
  OpDef op;
  op.name = "upsample";
  op.doc = "Images enlarged by a whole factor.";
  op.formula = "y[h, w, c] = x[h // factor, w // factor, c], or between its neighbours";
  op.shapes = "[n, h, w, c] -> [n, h factor, w factor, c]";
  op.inputs = {{"x", "images"}};
  op.attributes = upsampling_attributes();
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  runtime::KernelDef kernel;
  kernel.make = make;
  return {std::move(op), std::move(kernel)};
}

}  // namespace graphrun::ops
