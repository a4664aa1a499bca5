/// \file
/// What upsample, resize and their gradients share: which pixels a pixel of the enlarged image is made of.
/// Both are sums of weighted pixels; the gradient only swaps where they come from and go to.
#pragma once

#include <cstdint>

#include "ops/image/image_geometry.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {

enum class Direction : std::uint8_t { enlarge, gradient };

/// Throws an OpError unless it is at least 1.
std::int64_t upsampling_factor(const Attributes& attributes);

/// A side of an enlarged image, in pixels: its rows and columns are tabled.
inline constexpr std::int64_t largest_upsampled_side = 65'536;

/// The enlarged side; throws an OpError when it is too large.
std::int64_t upsampled_side(std::int64_t side, std::int64_t factor);

/// The op that goes in this direction, from what its file says of its name, type and gradient. Bilinear: the
/// centres of an enlarged image's pixels are `1 / factor` apart in the image, and beyond the centres at the
/// margin nothing changes (PyTorch's align_corners=False). Terms are added by the enlarged image's pixels
/// ascending.
Op upsampling(OpDef op, Direction direction);

/// Height and width by the attribute `size`. Throws an OpError unless they are two that can be tabled.
Sides resized_sides(const Attributes& attributes);

/// The same of an op that makes images of any `size`, with ONNX's rules for where a pixel of the result lies.
Op resizing(OpDef op, Direction direction);

}  // namespace graphrun::ops
