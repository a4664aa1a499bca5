#include "show/report/sprite.hpp"

#include <algorithm>

#include "files/base64.hpp"
#include "files/png/png.hpp"

namespace graphrun::show {

namespace {
constexpr std::size_t widest_sprite = 1'024;
constexpr std::int64_t most_bytes = 2'000'000;
}  // namespace

files::JsonObject sprite(const Pictures& pictures) {
  const std::size_t columns =
      std::clamp<std::size_t>(widest_sprite / pictures.width, 1, std::max<std::size_t>(pictures.count, 1));
  const std::size_t rows = (pictures.count + columns - 1) / columns;
  files::Image image{rows * pictures.height, columns * pictures.width, pictures.channels, {}};
  image.pixels.resize(image.height * image.width * image.channels);
  const std::size_t line = pictures.width * pictures.channels;
  for (std::size_t i = 0; i < pictures.count; ++i)
    for (std::size_t y = 0; y < pictures.height; ++y) {
      const std::size_t from = (i * pictures.height + y) * line;
      const std::size_t to = ((i / columns * pictures.height + y) * columns + i % columns) * line;
      std::copy_n(pictures.pixels.begin() + static_cast<std::ptrdiff_t>(from), line,
                  image.pixels.begin() + static_cast<std::ptrdiff_t>(to));
    }
  return files::JsonObject()
      .set("png", files::base64(files::encode_png(image)))
      .set("count", pictures.count)
      .set("columns", columns)
      .set("height", pictures.height)
      .set("width", pictures.width);
}

std::int64_t affordable(std::int64_t wanted, std::size_t values_per_picture) {
  const auto each = static_cast<std::int64_t>(std::max<std::size_t>(values_per_picture, 1));
  return std::clamp<std::int64_t>(most_bytes / each, 1, wanted);
}

std::string base64_of(std::span<const float> values) {
  const std::span<const std::byte> bytes = std::as_bytes(values);
  return files::base64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace graphrun::show
