/// \file
/// Pictures of all sizes, brought to one.
#pragma once

#include <cstddef>
#include <span>

#include "files/png/image.hpp"

namespace graphrun::train {

/// The picture at this size. A pixel is the mean of those around its place, weighted by a triangle two pixels
/// of the coarser picture wide, in both directions by itself; so nothing is lost where it becomes smaller.
files::Image resized(const files::Image& image, std::size_t height, std::size_t width);

/// `size` is one number, to which the shorter side goes, or a height and a width.
files::Image resized(const files::Image& image, std::span<const std::size_t> size);

/// The middle of a picture, which is as large at least.
files::Image cropped(const files::Image& image, std::size_t height, std::size_t width);

}  // namespace graphrun::train
