/// \file
/// A white picture to draw diagrams on: discs, lines, small pictures, and text in a built-in bitmap font.
/// What lies beyond the edges is cut off.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "files/png/image.hpp"

namespace graphrun::show {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

inline constexpr Colour black{0, 0, 0};
inline constexpr Colour white{255, 255, 255};
inline constexpr Colour grey{208, 208, 208};

/// A colour for each class, as far apart as ten can be for people who see red and green alike, and in print
/// (after P. Tol's "muted" scheme). From the eleventh on they repeat.
Colour class_colour(std::int64_t label);

class Canvas {
 public:
  Canvas(std::int64_t width, std::int64_t height);

  std::int64_t width() const { return static_cast<std::int64_t>(image_.width); }
  std::int64_t height() const { return static_cast<std::int64_t>(image_.height); }
  const files::Image& image() const { return image_; }

  void rectangle(std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height, Colour colour);
  void disc(std::int64_t x, std::int64_t y, std::int64_t radius, Colour colour);
  void line(std::int64_t from_x, std::int64_t from_y, std::int64_t to_x, std::int64_t to_y,
            std::int64_t thickness, Colour colour);
  /// A picture of u8 pixels [height, width, channels], of 1 or 3 channels.
  void paste(std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height,
             std::span<const std::uint8_t> pixels);
  /// ASCII; other characters become boxes. The place is of the upper left corner.
  void text(std::int64_t left, std::int64_t top, std::string_view text, Colour colour);

 private:
  void set(std::int64_t x, std::int64_t y, Colour colour);
  files::Image image_;
};

/// Of a line of text on a canvas, in pixels.
inline constexpr std::int64_t text_height = 16;
std::int64_t text_width(std::string_view text);

}  // namespace graphrun::show
