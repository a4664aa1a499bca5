#include "files/jpeg/orientation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <utility>

namespace graphrun::files {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::array<std::uint8_t, 6> exif{'E', 'x', 'i', 'f', 0, 0};
constexpr std::size_t entry_bytes = 12;
constexpr std::uint32_t orientation_tag = 0x0112;
constexpr std::uint32_t type_of_u16 = 3;

/// The directory within EXIF, a TIFF file of either order of bytes. Offsets count from its beginning, and no
/// one vouches for them: what is read beyond the end is nothing.
class Tiff {
 public:
  explicit Tiff(Bytes bytes) : bytes_(bytes), is_big_endian_(!bytes.empty() && bytes[0] == 'M') {}

  std::optional<std::uint32_t> number(std::size_t at, std::size_t width) const {
    if (at > bytes_.size() || bytes_.size() - at < width) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i)
      value = value << 8U | bytes_[at + (is_big_endian_ ? i : width - 1 - i)];
    return value;
  }

  /// "II" or "MM", and 42.
  bool is_valid() const {
    if (bytes_.size() < 2 || bytes_[0] != bytes_[1]) return false;
    return (bytes_[0] == 'I' || bytes_[0] == 'M') && number(2, 2) == 42U;
  }

 private:
  Bytes bytes_;
  bool is_big_endian_;
};

/// The number in the first directory, which pictures have it in; 0: there is none.
std::uint32_t stored_orientation(const Tiff& tiff) {
  const std::size_t directory = tiff.number(4, 4).value_or(0);
  const std::uint32_t entries = tiff.number(directory, 2).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * entry_bytes;
    const std::optional<std::uint32_t> tag = tiff.number(at, 2);
    if (!tag) return 0;
    if (tag != orientation_tag) continue;
    const bool is_number = tiff.number(at + 2, 2) == type_of_u16 && tiff.number(at + 4, 4) == 1U;
    return is_number ? tiff.number(at + 8, 2).value_or(0) : 0;
  }
  return 0;
}

/// What is behind the name of the first segment with EXIF, one of those before the pixels; empty: none.
Bytes exif_segment(Bytes file) {
  constexpr std::uint8_t app1 = 0xE1;
  constexpr std::uint8_t start_of_scan = 0xDA;
  for (std::size_t at = 2; at + 4 <= file.size() && file[at] == 0xFF;) {
    const std::uint8_t marker = file[at + 1];
    if (marker == 0xFF) {  // any number of them may stand before a marker
      ++at;
      continue;
    }
    const std::size_t length = file[at + 2] * std::size_t{256} + file[at + 3];
    if (marker == start_of_scan || length < 2 || file.size() - at - 2 < length) break;
    const Bytes segment = file.subspan(at + 4, length - 2);
    const bool is_exif =
        segment.size() >= exif.size() && std::ranges::equal(segment.first(exif.size()), exif);
    if (marker == app1 && is_exif) return segment.subspan(exif.size());
    at += 2 + length;
  }
  return {};
}

bool is_one_of(Orientation orientation, std::initializer_list<Orientation> list) {
  return std::ranges::find(list, orientation) != list.end();
}

}  // namespace

Orientation orientation_of_jpeg(std::span<const std::uint8_t> file) noexcept {
  const Bytes segment = exif_segment(file);
  if (segment.empty()) return Orientation::top_left;
  const Tiff tiff(segment);
  const std::uint32_t number = tiff.is_valid() ? stored_orientation(tiff) : 0;
  return number >= 1 && number <= 8 ? static_cast<Orientation>(number) : Orientation::top_left;
}

Image upright(Image image, Orientation orientation) {
  using enum Orientation;
  if (orientation == top_left) return image;
  const bool exchanged = is_one_of(orientation, {left_top, right_top, right_bottom, left_bottom});
  const bool from_below = is_one_of(orientation, {bottom_right, bottom_left, right_top, right_bottom});
  const bool from_right = is_one_of(orientation, {top_right, bottom_right, right_bottom, left_bottom});
  Image seen{image.height, image.width, image.channels, {}};
  if (exchanged) std::swap(seen.height, seen.width);
  seen.pixels.reserve(image.pixels.size());
  for (std::size_t row = 0; row < seen.height; ++row)
    for (std::size_t column = 0; column < seen.width; ++column) {
      const std::size_t down = exchanged ? column : row;
      const std::size_t across = exchanged ? row : column;
      const std::size_t y = from_below ? image.height - 1 - down : down;
      const std::size_t x = from_right ? image.width - 1 - across : across;
      const auto pixel =
          image.pixels.begin() + static_cast<std::ptrdiff_t>((y * image.width + x) * image.channels);
      seen.pixels.insert(seen.pixels.end(), pixel, pixel + static_cast<std::ptrdiff_t>(image.channels));
    }
  return seen;
}

}  // namespace graphrun::files
