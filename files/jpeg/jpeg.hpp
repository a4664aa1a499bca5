/// \file
/// JPEG pictures. The only place that uses libjpeg, without which graphrun may be built.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "files/png/image.hpp"

namespace graphrun::files {

/// Decodes to grey or RGB of 8 bits, as the file has it; other colours (CMYK) are refused. How a picture was
/// held when it was taken (EXIF) is left aside, as most readers of training data do. `path` is for errors
/// only. Error{data} for what is no JPEG or damaged, and where graphrun was built without libjpeg.
Image decode_jpeg(std::span<const std::uint8_t> file, const std::filesystem::path& path);

}  // namespace graphrun::files
