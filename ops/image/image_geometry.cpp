#include "ops/image/image_geometry.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun::ops {

void require_images(const Type& type, const std::string& name) {
  require_f32(type, name);
  const bool four = type.shape.size() == 4;
  if (four &&
      std::all_of(type.shape.begin() + 1, type.shape.end(), [](Dim dim) { return dim.is_number(); })) {
    return;
  }
  const bool is_volume = type.shape.size() == 5;
  throw OpError(fmt::format("{} must be images, [batch, height, width, channels], but is {}", name,
                            to_string(type.shape)),
                is_volume ? "Windows go over two axes: make the third one channels, by transpose and reshape."
                          : "Make it so: reshape(x, shape=[batch, 28, 28, 1]).",
                name);
}

AttributeDeclaration stride_attribute(std::int64_t fallback, std::string doc) {
  return integer_or_list("stride", fallback, at_least(static_cast<double>(fallback)), std::move(doc));
}

AttributeDeclaration pad_attribute(const std::string& doc) {
  return integer_or_list("pad", 0, at_least(0),
                         doc + "; one number, height and width, or top, bottom, left and right");
}

AttributeDeclaration dilation_attribute(std::string doc) {
  return integer_or_list("dilation", 1, at_least(1), std::move(doc));
}

std::vector<AttributeDeclaration> pooling_attributes() {
  return {integer_or_list("kernel", std::nullopt, at_least(1), "the height and width of a window"),
          stride_attribute(0, "from one window to the next; 0: the kernel, so that they touch"),
          pad_attribute("rows and columns added on each side, which no window looks at"),
          dilation_attribute(
              "from one pixel of a window to the next: it reaches over (kernel - 1) dilation + 1")};
}

Window pooling_window(const Attributes& attributes) {
  return checked(window_of(sides(attributes, "kernel"), attributes));
}

const Window& checked(const Window& window) {
  const auto& [vertical, horizontal] = window;
  for (const WindowAxis& axis : {vertical, horizontal}) {
    if (axis.stride <= largest_image) continue;
    throw OpError(fmt::format("'stride' is at most {}, not {}", largest_image, axis.stride), {}, "stride");
  }
  for (const WindowAxis& axis : {vertical, horizontal}) {
    const std::int64_t pad = std::max(axis.before, axis.after);
    if (pad < axis.reach()) continue;
    const bool dilated = vertical.dilation > 1 || horizontal.dilation > 1;
    throw OpError(fmt::format("'pad' is below the {}kernel's {} x {}, not {}", dilated ? "dilated " : "",
                              vertical.reach(), horizontal.reach(), pad),
                  "A window that saw nothing but the margin would be worth nothing.", "pad");
  }
  return window;
}

std::int64_t window_count(const WindowAxis& axis, std::int64_t extent) {
  const std::int64_t padded = checked_add(extent, checked_add(axis.before, axis.after));
  if (axis.reach() <= padded) return (padded - axis.reach()) / axis.stride + 1;
  const std::string margins = axis.before == axis.after
                                  ? fmt::format("a margin of {} on each side", axis.before)
                                  : fmt::format("margins of {} and {}", axis.before, axis.after);
  throw OpError(fmt::format("a window of {} does not fit into {} with {}", axis.reach(), extent, margins),
                "Use a smaller kernel, or pad more.", "kernel");
}

void require_pixels(const WindowAxis& axis, std::int64_t extent) {
  // One pixel in `dilation` is seen, so that a window which hangs over an image as large sees one of it.
  if ((axis.before == 0 && axis.after == 0) || axis.dilation <= extent) return;
  throw OpError(fmt::format("windows with a dilation of {} may miss all of {} pixels", axis.dilation, extent),
                "Use a smaller dilation, or no pad.", "dilation");
}

Shape pooled_shape(const Shape& images, const Window& window) {
  return {images[0], Dim::number(window_count(window.vertical, images[1].offset)),
          Dim::number(window_count(window.horizontal, images[2].offset)), images[3]};
}

void require_countable_in_int(const Shape& shape, const std::string& what) {
  std::int64_t count = 1;
  for (const Dim dim : shape) {
    if (!dim.is_number()) continue;
    if (dim.offset <= largest_image / count) {
      count *= std::max<std::int64_t>(dim.offset, 1);
      continue;
    }
    throw OpError(fmt::format("{}, {}, has more than {} values, the most that a convolution can have", what,
                              to_string(shape), largest_image),
                  {}, "x");
  }
}

void require_cotangent(const Type& g, const Shape& expected) {
  require_f32(g, "g");
  if (g.shape == expected) return;
  throw OpError(fmt::format("g must be {}, but is {}", to_string(expected), to_string(g.shape)));
}

std::vector<AxisMap> image_axes(const AxesContext& context) {
  return std::vector<AxisMap>(context.inputs.size(), {0, contracted, contracted, 3});
}

AxisMap image_rows() {
  return {0, contracted, contracted, contracted};
}

}  // namespace graphrun::ops
