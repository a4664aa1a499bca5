#include "ops/image/convolution_kernel.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

using runtime::ConvolutionKind;

Type infer(const InferContext& context) {
  const Shape& x = context.inputs[0].shape;
  const Shape& w = context.inputs[1].shape;
  require_images(context.inputs[0], "x");
  const Window window = convolution_window(context.inputs[1], context.attributes);
  require_channels(x, w[2], w);
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

runtime::ConvolutionSpec spec_of(const Node& node, const Extents& x, const Extents& w, const Extents& y) {
  return convolution_spec(ConvolutionKind::forward, x, w, y, node.attributes);
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const HostTensor& w = *context.inputs[1];
  std::vector<double>& y = context.output.values;
  for_each_tap(spec_of(context.node, x.extents, w.extents, context.output.extents), x.extents[0],
               [&](std::size_t i, std::size_t j, std::size_t l) { y[l] += x.values[i] * w.values[j]; });
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Attributes& all = context.node().attributes;
  const Shape& x = t.x(0).type().shape;
  const Shape& w = t.x(1).type().shape;
  const Attributes to_image = {{"stride", all.integer("stride")},
                               {"pad", all.integer("pad")},
                               {"size", std::vector{x[1].offset, x[2].offset}}};
  const Attributes to_weights = {{"kernel", std::vector{w[0].offset, w[1].offset}},
                                 {"stride", all.integer("stride")},
                                 {"pad", all.integer("pad")}};
  return wanted_gradients(
      context,
      [&] {
        return call("transposed_convolution", {t.g, t.x(1)}, to_image);
      },
      [&] {
        return call("convolution_weight_gradient", {t.x(0), t.g}, to_weights);
      });
}

Cost cost(const CostContext& context) {
  return convolution_cost(context, context.output, context.inputs[1]);
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return make_convolution(spec_of(bound.node, bound.inputs[0], bound.inputs[1], bound.output));
}

}  // namespace

Op convolution() {
  OpDef op;
  op.name = "convolution";
  op.doc = "Weighted sums over windows of images; the block conv2d is a layer of it.";
  op.formula = "y[h, w, o] = sum over i, j, c of x[h stride - pad + i, w stride - pad + j, c] w[i, j, c, o]";
  op.shapes = "[n, h, w, c], [i, j, c, o] -> [n, (h + 2 pad - i) // stride + 1, …, o]";
  op.inputs = {{"x", "images, zero outside"},
               {"w", "weights: kernel height, kernel width, channels of x, channels of y"}};
  op.attributes = {stride_attribute(1, "from one window to the next"),
                   pad_attribute("rows and columns of zeros added on each side; less than the kernel")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = cost;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
