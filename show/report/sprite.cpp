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
  const files::Image image =
      compose_sheet(std::span(&pictures, 1),
                    {.columns = columns, .magnify = 1, .padding = 0, .block_gap = 0, .background = 0});
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
