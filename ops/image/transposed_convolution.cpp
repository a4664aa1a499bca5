#include <fmt/format.h>

#include "ops/image/convolution_kernel.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

/// How many windows lie over so many elements, and what makes them so many.
std::string advice(std::int64_t asked, const WindowAxis& axis) {
  if (asked < 1) return "Use a larger kernel, or pad less.";
  const std::int64_t room = checked_add(asked, checked_add(axis.before, axis.after)) - axis.reach();
  if (room < 0) return "Use a smaller kernel, or pad more.";
  const std::int64_t windows = room / axis.stride + 1;
  return fmt::format(
      "Over {} lie {} windows: make x so large, as resize(x, size=[…]) does, or change kernel, "
      "stride or pad.",
      asked, windows);
}

/// The height or width of the result; `asked` 0: the smallest that gives `windows` windows.
std::int64_t result_extent(std::int64_t windows, const WindowAxis& axis, std::int64_t asked) {
  const std::int64_t smallest =
      checked_add(checked_multiply(windows - 1, axis.stride), axis.reach()) - axis.before - axis.after;
  if (asked == 0 && smallest > 0) return smallest;
  if (asked >= std::max<std::int64_t>(smallest, 1) && asked < smallest + axis.stride) return asked;
  const std::string pad = axis.before == axis.after ? fmt::format("{}", axis.before)
                                                    : fmt::format("{} and {}", axis.before, axis.after);
  throw OpError(fmt::format("{} windows of {} with stride {} and pad {} lie over {} to {} elements, not {}",
                            windows, axis.reach(), axis.stride, pad, std::max<std::int64_t>(smallest, 1),
                            smallest + axis.stride - 1, std::max<std::int64_t>(asked, 0)),
                advice(asked, axis), "size");
}

Type infer(const InferContext& context) {
  const Shape& x = context.inputs[0].shape;
  const Shape& w = context.inputs[1].shape;
  require_images(context.inputs[0], "x");
  const Window window = convolution_window(context.inputs[1], context.attributes);
  require_channels(x, w[3], w);
  channels_of_group(w[3], context.attributes, "x");
  std::vector<std::int64_t> size = context.attributes.integers("size");
  if (size.empty()) size = {0, 0};
  if (size.size() != 2) {
    throw OpError(fmt::format("size is a height and a width, not {} numbers", size.size()),
                  "Write for instance size: [28, 28].", "size");
  }
  const Shape y = {x[0], Dim::number(result_extent(x[1].offset, window.vertical, size[0])),
                   Dim::number(result_extent(x[2].offset, window.horizontal, size[1])),
                   channels_of_groups(w[2], context.attributes)};
  require_countable_in_int(x, "x");
  require_countable_in_int(w, "the kernel");
  require_countable_in_int(y, "the result");
  return {DType::f32, y};
}

std::vector<AxisMap> axes(const AxesContext& /*context*/) {
  return {image_rows(), {contracted, contracted, 3, contracted}};
}

/// As the convolution sees it whose gradient this is: its x is our output, its y our input.
Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const ConvolutionTerms product(context.node());
  return wanted_gradients(
      context, [&] { return product.y(t.g, t.x(1)); },
      [&] { return product.k(t.g, t.x(0), t.x(1).type().shape); });
}

}  // namespace

Op transposed_convolution() {
  OpDef op;
  op.name = "transposed_convolution";
  op.doc = "The adjoint of convolution, which enlarges images; the block conv_transpose2d is a layer of it.";
  op.formula =
      "y[h stride - pad + i dilation, w stride - pad + j dilation, o] = sum over h, i, w, j, c of "
      "x[h, w, c] w[i, j, o, c]";
  op.shapes =
      "[n, h, w, c], [i, j, o // groups, c] -> [n, (h - 1) stride - 2 pad + (i - 1) dilation + 1, …, o]";
  op.inputs = {{"x", "images"},
               {"w", "weights: kernel height, kernel width, channels of y in a group, channels of x"}};
  op.attributes = convolution_attributes("from one window of the result to the next",
                                         "rows and columns cut off on each side; less than the kernel");
  op.attributes.push_back(
      extents("size", std::vector<std::int64_t>(),
              "height and width of the result, up to stride - 1 more than the least, the default"));
  op.infer = infer;
  op.axes = axes;
  op.gradient = vjp;
  return convolution_op(std::move(op), runtime::ConvolutionKind::image_gradient);
}

}  // namespace graphrun::ops
