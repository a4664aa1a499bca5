/// \file
/// PNG pictures. The only place that uses libpng.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "files/png/image.hpp"

namespace graphrun::files {

/// No picture is read or written that is wider or higher than this.
inline constexpr std::size_t largest_png_side = 32'768;

/// Error{usage} for a picture without pixels, with a side above largest_png_side, not of 1 or 3 channels, or
/// whose pixels do not fit its size.
std::vector<std::uint8_t> encode_png(const Image& image);

/// Encodes and writes, complete or not at all.
void write_png(const std::filesystem::path& path, const Image& image);

/// Decodes every kind of PNG to grey or RGB of 8 bits: fewer bits are spread over 0 to 255, 16 bits are
/// rounded to 8, a palette becomes the colours that it stands for (never grey), what is transparent is
/// blended onto black. Colour profiles and gamma are left aside, as most readers of training data do. `path`
/// is for errors only. Error{data} for what is no PNG, for damage (any wrong CRC), and for sizes that so few
/// bytes cannot hold.
Image decode_png(std::span<const std::uint8_t> file, const std::filesystem::path& path);

Image read_png(const std::filesystem::path& path);

}  // namespace graphrun::files
