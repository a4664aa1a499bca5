/// \file
/// Sheets of small pictures, so that a person sees what was learnt: originals, corrupted inputs and
/// reconstructions in rows below each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "files/png/image.hpp"

namespace graphrun::show {

/// Equally large pictures one behind the other, u8 pixels [count, height, width, channels] with 1 or 3
/// channels.
struct Pictures {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;
  std::vector<std::uint8_t> pixels;
};

struct SheetOptions {
  std::size_t columns = 16;      ///< pictures beside each other, at least 1
  std::size_t magnify = 2;       ///< every pixel becomes a square of this side, at least 1
  std::size_t padding = 2;       ///< pixels between pictures and around the sheet
  std::size_t block_gap = 8;     ///< pixels between one block of rows and the next
  std::uint8_t background = 48;  ///< dark grey: both black and white pictures stand out
};

/// Blocks below each other, each with one row for every list: with lists {originals, reconstructions} and 16
/// columns, the first block has originals 0 to 15 and below them their reconstructions. A sheet narrower than
/// `columns` is made for fewer pictures. Lists of smaller pictures are magnified further, by whole numbers,
/// as far as they fit beside the largest. Error{usage}: no list, an empty one, lists of different counts,
/// pixels that do not fit, a sheet too large for a PNG.
files::Image compose_sheet(std::span<const Pictures> lists, const SheetOptions& options = {});

/// Values in [0, 1] as pixels: clamped, times 255, rounded to nearest; NaN becomes 0.
std::vector<std::uint8_t> to_pixels(std::span<const float> values);

}  // namespace graphrun::show
