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
  throw OpError(fmt::format("{} must be images, [batch, height, width, channels], but is {}", name,
                            to_string(type.shape)),
                "Make it so: reshape(x, shape=[batch, 28, 28, 1]).", name);
}

AttributeDeclaration stride_attribute(std::int64_t fallback, std::string doc) {
  return integer("stride", fallback, at_least(static_cast<double>(fallback)), std::move(doc));
}

AttributeDeclaration pad_attribute(std::string doc) {
  return integer("pad", 0, at_least(0), std::move(doc));
}

std::vector<AttributeDeclaration> pooling_attributes() {
  return {integer("kernel", std::nullopt, at_least(1), "the height and width of a window"),
          stride_attribute(0, "from one window to the next; 0: the kernel, so that they touch"),
          pad_attribute("rows and columns added on each side, which no window looks at")};
}

Window pooling_window(const Attributes& attributes) {
  const std::int64_t kernel = attributes.integer("kernel");
  const std::int64_t stride = attributes.integer("stride");
  return checked({kernel, kernel, stride == 0 ? kernel : stride, attributes.integer("pad")});
}

const Window& checked(const Window& window) {
  if (window.stride > largest_image) {
    throw OpError(fmt::format("'stride' is at most {}, not {}", largest_image, window.stride), {}, "stride");
  }
  if (window.pad >= std::min(window.kernel_height, window.kernel_width)) {
    throw OpError(fmt::format("'pad' is below the kernel's {} x {}, not {}", window.kernel_height,
                              window.kernel_width, window.pad),
                  "A window that saw nothing but the margin would be worth nothing.", "pad");
  }
  return window;
}

std::int64_t Window::count(std::int64_t extent, std::int64_t kernel) const {
  const std::int64_t padded = checked_add(extent, checked_multiply(2, pad));
  if (kernel > padded) {
    throw OpError(fmt::format("a window of {} does not fit into {} with a margin of {} on each side", kernel,
                              extent, pad),
                  "Use a smaller kernel, or pad more.", "kernel");
  }
  return (padded - kernel) / stride + 1;
}

Shape pooled_shape(const Shape& images, const Window& window) {
  return {images[0], Dim::number(window.rows(images[1].offset)),
          Dim::number(window.columns(images[2].offset)), images[3]};
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
