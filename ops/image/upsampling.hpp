/// \file
/// What upsample and its gradient share: which pixels a pixel of the enlarged image is made of. Both are sums
/// of weighted pixels; the gradient only swaps where they come from and go to.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ops/image/image_geometry.hpp"
#include "runtime/kernels/kernel.hpp"

namespace graphrun::ops {

enum class Direction : std::uint8_t { enlarge, gradient };

std::vector<AttributeSpec> upsampling_attributes();

/// Throws an OpError unless it is at least 1.
std::int64_t upsampling_factor(const Attributes& attributes);

/// One term of a sum, for each channel: to += weight · from. Places count the pixels of one image.
struct Part {
  std::size_t from = 0;
  std::size_t to = 0;
  double weight = 0;
};

/// All terms of an image of small[1] x small[2] pixels, by the enlarged image's pixels ascending. Bilinear:
/// the centres of its pixels are `1 / factor` apart in the image, and beyond the centres at the margin
/// nothing changes (PyTorch's align_corners=False).
std::vector<Part> upsampling_parts(const Extents& small, const Attributes& attributes, Direction direction);

void reference_upsampling(const ReferenceContext& context, const Extents& small, Direction direction);

std::unique_ptr<runtime::Call> make_upsampling(const runtime::BoundNode& bound, const Extents& small,
                                               Direction direction);

}  // namespace graphrun::ops
