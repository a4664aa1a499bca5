/// \file
/// What ops on images share: [batch, height, width, channels], and windows that move over them.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "graph/window.hpp"
#include "ops/declaration.hpp"

namespace graphrun::ops {

/// Throws an OpError unless the type is f32[any, number, number, number].
void require_images(const Type& type, const std::string& name);

/// "stride", "pad" and "dilation".
AttributeDeclaration stride_attribute(std::int64_t fallback, std::string doc);
AttributeDeclaration pad_attribute(const std::string& doc);
AttributeDeclaration dilation_attribute(std::string doc);

/// The values of an image, of a kernel, and the pixels of a stride: oneDNN computes with int here and there.
inline constexpr std::int64_t largest_image = std::numeric_limits<std::int32_t>::max();

/// Throws an OpError about x when a product of the sizes, the batch aside, is larger than that.
void require_countable_in_int(const Shape& shape, const std::string& what);

/// "kernel", "stride" (0: the kernel's), "pad" and "dilation" of a pooling op, and its window by them.
std::vector<AttributeDeclaration> pooling_attributes();
Window pooling_window(const Attributes& attributes);

/// Throws an OpError unless the margins are smaller than the kernel.
const Window& checked(const Window& window);

/// How many windows fit along an axis. Throws an OpError when none does.
std::int64_t window_count(const WindowAxis& axis, std::int64_t extent);

/// Throws an OpError when a window can lie so that all its pixels are in the margin.
void require_pixels(const WindowAxis& axis, std::int64_t extent);

/// The shape of one value a window and channel, for images of this shape.
Shape pooled_shape(const Shape& images, const Window& window);

/// Throws an OpError unless the cotangent of windows has this shape.
void require_cotangent(const Type& g, const Shape& expected);

/// Image by image: axis 0 stays, all else is mixed.
AxisMap image_rows();

/// Of every input, axis 0 and the channels stay; height and width are mixed.
std::vector<AxisMap> image_axes(const AxesContext& context);

}  // namespace graphrun::ops
