/// \file
/// JPEG pictures. The only place that uses libjpeg, without which graphrun may be built.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "files/png/image.hpp"

namespace graphrun::files {

/// Decodes to grey or RGB of 8 bits, as the file has it; other colours (CMYK) are refused. Pictures are
/// turned as EXIF says that they were held when they were taken. `path` is for errors only. Error{data} for
/// what is no JPEG or damaged, and where graphrun was built without libjpeg.
Image decode_jpeg(std::span<const std::uint8_t> file, const std::filesystem::path& path);

}  // namespace graphrun::files
