/// \file
/// Arrays that are larger than what is kept in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "files/array_pieces.hpp"
#include "train/datasets/stored.hpp"

namespace graphrun::train {

struct LargeReading {
  /// Bytes stay pixels where they are divided by 255, as they are by default; other numbers become f32,
  /// divided by what is said.
  std::optional<double> divide_by = {};
  /// Of pictures whose height and width are exchanged: [height, width] or [height, width, channels], as they
  /// are to be.
  std::vector<std::size_t> upright = {};
  std::size_t most_bytes = 0;  ///< so many are kept in memory, more in a file
};

/// Error{data} for numbers that are not finite.
void read_large(files::ArrayPieces& pieces, const LargeReading& reading, const std::filesystem::path& path,
                Stored<std::uint8_t>& pixels, Stored<float>& values);

/// From [count, width, height, channels] to [count, height, width, channels], whose sizes behind the count
/// are given.
template <class Element>
void exchange_axes(std::span<Element> elements, const std::vector<std::size_t>& sizes) {
  const std::size_t height = sizes[0];
  const std::size_t width = sizes[1];
  const std::size_t channels = sizes.size() == 3 ? sizes[2] : 1;
  std::vector<Element> image(height * width * channels);
  for (std::size_t at = 0; at < elements.size(); at += image.size()) {
    for (std::size_t i = 0; i < image.size(); ++i) {
      const std::size_t channel = i % channels;
      const std::size_t x = i / channels % width;
      const std::size_t y = i / channels / width;
      image[i] = elements[at + (x * height + y) * channels + channel];
    }
    std::copy(image.begin(), image.end(), elements.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

}  // namespace graphrun::train
