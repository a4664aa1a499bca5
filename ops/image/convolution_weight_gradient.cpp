#include "ops/image/convolution_kernel.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

using runtime::ConvolutionKind;

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  require_images(context.inputs[1], "g");
  const std::vector<std::int64_t>& kernel = context.attributes.integers("kernel");
  if (kernel.size() != 2 || kernel[0] < 1 || kernel[1] < 1) {
    throw OpError("kernel is a height and a width, at least 1", {}, "kernel");
  }
  const Window window = checked(
      {kernel[0], kernel[1], context.attributes.integer("stride"), context.attributes.integer("pad")});
  const Shape& x = context.inputs[0].shape;
  Shape g = pooled_shape(x, window);
  g[3] = context.inputs[1].shape[3];
  require_cotangent(context.inputs[1], g);
  return {DType::f32, {Dim::number(kernel[0]), Dim::number(kernel[1]), x[3], g[3]}};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {{contracted, contracted, contracted, 2}, {contracted, contracted, contracted, 3}};
}

runtime::ConvolutionSpec spec_of(const Node& node, const Extents& x, const Extents& g, const Extents& w) {
  return convolution_spec(ConvolutionKind::weight_gradient, x, w, g, node.attributes);
}

/// In the order of the images.
void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const HostTensor& g = *context.inputs[1];
  std::vector<double>& w = context.output.values;
  for_each_tap(spec_of(context.node, x.extents, g.extents, context.output.extents), x.extents[0],
               [&](std::size_t i, std::size_t j, std::size_t l) { w[j] += x.values[i] * g.values[l]; });
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Attributes& all = context.node().attributes;
  const Shape& x = t.x(0).type().shape;
  const Attributes window = {{"stride", all.integer("stride")}, {"pad", all.integer("pad")}};
  Attributes to_image = window;
  to_image.set("size", std::vector{x[1].offset, x[2].offset});
  return wanted_gradients(
      context,
      [&] {
        return call("transposed_convolution", {t.x(1), t.g}, to_image);
      },
      [&] {
        return call("convolution", {t.x(0), t.g}, window);
      });
}

Cost cost(const CostContext& context) {
  return convolution_cost(context, context.inputs[1], context.output);
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_convolution(spec_of(bound.node, bound.inputs[0], bound.inputs[1], bound.output));
}

}  // namespace

Op convolution_weight_gradient() {
  OpDef op;
  op.name = "convolution_weight_gradient";
  op.doc = "The gradient of a convolution by its weights.";
  op.formula =
      "y[i, j, c, o] = sum over n, h, w of x[n, h stride - pad + i, w stride - pad + j, c] g[n, h, w, o]";
  op.shapes = "[n, h, w, c], [n, …, …, o] -> [i, j, c, o]";
  op.inputs = {{"x", "images"}, {"g", "the cotangent of the convolution"}};
  op.attributes = {extents("kernel", std::nullopt, "i and j"), stride_attribute(1, "of the convolution"),
                   pad_attribute("of the convolution")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
