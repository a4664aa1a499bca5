#include "ops/image/convolution_kernel.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Shape& x = context.inputs[0].shape;
  const Shape& w = context.inputs[1].shape;
  require_images(context.inputs[0], "x");
  const Window window = convolution_window(context.inputs[1], context.attributes);
  require_channels(x, channels_of_groups(w[2], context.attributes), w, context.attributes.integer("groups"));
  channels_of_group(w[3], context.attributes, "the result");
  Shape y = pooled_shape(x, window);
  y[3] = w[3];
  require_countable_in_int(x, "x");
  require_countable_in_int(w, "the kernel");
  require_countable_in_int(y, "the result");
  return {DType::f32, y};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {image_rows(), {contracted, contracted, contracted, 3}};
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const ConvolutionTerms product(context.node());
  return wanted_gradients(
      context, [&] { return product.x(t.g, t.x(1), t.x(0).type().shape); },
      [&] { return product.k(t.x(0), t.g, t.x(1).type().shape); });
}

}  // namespace

Op convolution() {
  OpDef op;
  op.name = "convolution";
  op.doc = "Weighted sums over windows of images; the block conv2d is a layer of it.";
  op.formula =
      "y[h, w, o] = sum over i, j, c of x[h stride - pad + i dilation, w stride - pad + j dilation, c] w[i, "
      "j, c, o]";
  op.shapes =
      "[n, h, w, c], [i, j, c // groups, o] -> [n, (h + 2 pad - (i - 1) dilation - 1) // stride + 1, …, o]";
  op.inputs = {{"x", "images, zero outside"},
               {"w", "weights: kernel height, kernel width, channels of x in a group, channels of y"}};
  op.attributes = convolution_attributes(
      "from one window to the next", "rows and columns of zeros added on each side; less than the kernel");
  op.infer = infer;
  op.axes = axes;
  op.gradient = vjp;
  return convolution_op(std::move(op), runtime::ConvolutionKind::forward);
}

}  // namespace graphrun::ops
