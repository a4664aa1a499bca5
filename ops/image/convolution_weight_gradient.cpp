#include "ops/image/convolution_kernel.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_images(context.inputs[0], "x");
  require_images(context.inputs[1], "g");
  const std::vector<std::int64_t>& kernel = context.attributes.integers("kernel");
  if (kernel.size() != 2 || kernel[0] < 1 || kernel[1] < 1) {
    throw OpError("kernel is a height and a width, at least 1", {}, "kernel");
  }
  const Window window = checked(window_of({kernel[0], kernel[1]}, context.attributes));
  const Shape& x = context.inputs[0].shape;
  Shape g = pooled_shape(x, window);
  g[3] = context.inputs[1].shape[3];
  require_cotangent(context.inputs[1], g);
  channels_of_group(g[3], context.attributes, "g");
  return {DType::f32,
          {Dim::number(kernel[0]), Dim::number(kernel[1]), channels_of_group(x[3], context.attributes, "x"),
           g[3]}};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {{contracted, contracted, contracted, 2}, {contracted, contracted, contracted, 3}};
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const ConvolutionTerms product(context.node());
  return wanted_gradients(
      context, [&] { return product.x(t.x(1), t.g, t.x(0).type().shape); },
      [&] { return product.y(t.x(0), t.g); });
}

}  // namespace

Op convolution_weight_gradient() {
  OpDef op;
  op.name = "convolution_weight_gradient";
  op.doc = "The gradient of a convolution by its weights.";
  op.formula =
      "y[i, j, c, o] = sum over n, h, w of x[n, h stride - pad + i dilation, w stride - pad + j dilation, c] "
      "g[n, h, w, o]";
  op.shapes = "[n, h, w, c], [n, …, …, o] -> [i, j, c // groups, o]";
  op.inputs = {{"x", "images"}, {"g", "the cotangent of the convolution"}};
  op.attributes = convolution_attributes("of the convolution", "of the convolution");
  op.attributes.insert(op.attributes.begin(), extents("kernel", std::nullopt, "i and j"));
  op.infer = infer;
  op.axes = axes;
  op.gradient = vjp;
  op.traits.adds_rows = true;
  op.internal = true;
  return convolution_op(std::move(op), runtime::ConvolutionKind::weight_gradient);
}

}  // namespace graphrun::ops
