/// \file
/// How a picture was held when it was taken: cameras and telephones store what their sensor saw, and say in
/// EXIF how to turn it.
#pragma once

#include <cstdint>
#include <span>

#include "files/png/image.hpp"

namespace graphrun::files {

/// The numbers of EXIF: where the first row and the first column of the stored pixels are seen. Above 4,
/// height and width are exchanged.
enum class Orientation : std::uint8_t {
  top_left = 1,
  top_right = 2,
  bottom_right = 3,
  bottom_left = 4,
  left_top = 5,
  right_top = 6,
  right_bottom = 7,
  left_bottom = 8
};

/// What the EXIF of a JPEG file says: `top_left`, pixels as they are, where it has none, says nothing of it,
/// or is damaged. A picture is not worth less for that.
Orientation orientation_of_jpeg(std::span<const std::uint8_t> file) noexcept;

/// The picture as it was seen.
Image upright(Image image, Orientation orientation);

}  // namespace graphrun::files
