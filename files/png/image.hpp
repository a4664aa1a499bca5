/// \file
/// One picture in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace graphrun::files {

/// Pixels u8, dense, [height, width, channels]; 1 channel is grey, 3 are red, green, blue.
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;
  std::vector<std::uint8_t> pixels;
};

}  // namespace graphrun::files
