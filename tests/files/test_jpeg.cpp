// JPEG pictures, and how they were held when they were taken.
#include <array>

#include "files/file.hpp"
#include "files/jpeg/jpeg.hpp"
#include "files/jpeg/orientation.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jpeg_files.hpp"

using namespace graphrun;
using namespace graphrun::files;
using namespace graphrun::testing;

namespace {

enum class Order { little, big };

void add(Bytes& bytes, std::uint32_t number, std::size_t width, Order order) {
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t place = order == Order::big ? width - 1 - i : i;
    bytes.push_back(static_cast<std::uint8_t>(number >> (8 * place) & 0xFFU));
  }
}

/// What a segment with EXIF may say.
struct Exif {
  std::uint32_t orientation = 1;
  Order order = Order::little;
  std::uint32_t magic = 42;
  std::uint32_t directory = 8;  ///< where it begins
  std::uint32_t entries = 2;    ///< how many it promises; it has two
  std::uint32_t type = 3;
  std::uint32_t count = 1;
};

Bytes tiff_of(const Exif& exif) {
  const char mark = exif.order == Order::big ? 'M' : 'I';
  Bytes tiff(2, static_cast<std::uint8_t>(mark));
  add(tiff, exif.magic, 2, exif.order);
  add(tiff, exif.directory, 4, exif.order);
  add(tiff, exif.entries, 2, exif.order);
  for (const auto& [tag, type, count, value] :
       {std::array{0x010FU, 2U, 9U, 38U}, std::array{0x0112U, exif.type, exif.count, exif.orientation}}) {
    add(tiff, tag, 2, exif.order);
    add(tiff, type, 2, exif.order);
    add(tiff, count, 4, exif.order);
    add(tiff, value, 2, exif.order);
    add(tiff, 0, 2, exif.order);
  }
  return tiff;
}

Bytes segment_of(const Bytes& content, std::uint8_t marker = 0xE1) {
  Bytes segment{0xFF, marker};
  add(segment, static_cast<std::uint32_t>(content.size() + 2), 2, Order::big);
  segment.insert(segment.end(), content.begin(), content.end());
  return segment;
}

Bytes segment_of(const Exif& exif) {
  Bytes content{'E', 'x', 'i', 'f', 0, 0};
  const Bytes tiff = tiff_of(exif);
  content.insert(content.end(), tiff.begin(), tiff.end());
  return segment_of(content);
}

/// The picture with more segments behind its beginning.
Bytes with(const Bytes& segments) {
  Bytes file = halves_jpeg();
  file.insert(file.begin() + 2, segments.begin(), segments.end());
  return file;
}

Orientation told(const Bytes& segments) {
  return orientation_of_jpeg(with(segments));
}

}  // namespace

TEST_CASE("pictures are turned as each orientation says") {
  const Image stored{2, 3, 1, {0, 1, 2, 3, 4, 5}};
  const auto seen = [&](Orientation orientation) { return upright(stored, orientation); };
  CHECK(seen(Orientation::top_left).pixels == Bytes{0, 1, 2, 3, 4, 5});
  CHECK(seen(Orientation::top_right).pixels == Bytes{2, 1, 0, 5, 4, 3});
  CHECK(seen(Orientation::bottom_right).pixels == Bytes{5, 4, 3, 2, 1, 0});
  CHECK(seen(Orientation::bottom_left).pixels == Bytes{3, 4, 5, 0, 1, 2});
  CHECK(seen(Orientation::left_top).pixels == Bytes{0, 3, 1, 4, 2, 5});
  CHECK(seen(Orientation::right_top).pixels == Bytes{3, 0, 4, 1, 5, 2});
  CHECK(seen(Orientation::right_bottom).pixels == Bytes{5, 2, 4, 1, 3, 0});
  CHECK(seen(Orientation::left_bottom).pixels == Bytes{2, 5, 1, 4, 0, 3});
  CHECK(seen(Orientation::right_top).height == 3);
  CHECK(seen(Orientation::right_top).width == 2);
  CHECK(seen(Orientation::bottom_left).height == 2);
  const Image colour{1, 2, 3, {1, 2, 3, 4, 5, 6}};
  CHECK(upright(colour, Orientation::top_right).pixels == Bytes{4, 5, 6, 1, 2, 3});
}

TEST_CASE("a JPEG picture is decoded as it was seen") {
  const Image plain = decode_jpeg(halves_jpeg(), "a.jpg");
  CHECK(plain.width == 16);
  CHECK(plain.pixels.front() < 100);
  const Image turned = decode_jpeg(with(segment_of(Exif{.orientation = 6})), "a.jpg");
  CHECK(turned.width == 8);
  CHECK(turned.height == 16);
  CHECK(turned.pixels[7] < 100);  // the left half is above
  CHECK(turned.pixels.back() > 150);
  CHECK(decode_jpeg(with(segment_of(Exif{.orientation = 3})), "a.jpg").pixels.front() > 150);
}

TEST_CASE("an orientation is read in either order of bytes, from the segment that has it") {
  for (const Order order : {Order::little, Order::big})
    for (std::uint32_t number = 1; number <= 8; ++number)
      CHECK(told(segment_of(Exif{.orientation = number, .order = order})) ==
            static_cast<Orientation>(number));
  // Other data of programs come in segments of the same marker, and any bytes of 255 before a marker.
  Bytes segments = segment_of(Bytes{'h', 't', 't', 'p', ':', '/', '/', 0});
  const Bytes own = segment_of(Exif{.orientation = 8});
  segments.push_back(0xFF);
  segments.insert(segments.end(), own.begin(), own.end());
  CHECK(told(segments) == Orientation::left_bottom);
  CHECK(told({}) == Orientation::top_left);
}

TEST_CASE("EXIF that is damaged leaves a picture as it is") {
  const auto ignored = [](const Exif& exif) { return told(segment_of(exif)) == Orientation::top_left; };
  CHECK(ignored({.orientation = 0}));
  CHECK(ignored({.orientation = 9}));
  CHECK(ignored({.orientation = 6, .magic = 43}));
  CHECK(ignored({.orientation = 6, .directory = 0xFFFFFFFF}));
  CHECK(ignored({.orientation = 6, .directory = 41}));
  CHECK(ignored({.orientation = 6, .entries = 1}));
  CHECK(ignored({.orientation = 6, .type = 5}));
  CHECK(ignored({.orientation = 6, .count = 0x20000000}));
  CHECK_FALSE(ignored({.orientation = 6, .entries = 0xFFFF}));  // what is there counts
  // Cut off anywhere, within the segment or with the file.
  const Bytes whole = segment_of(Exif{.orientation = 6});
  const Bytes content(whole.begin() + 4, whole.end());
  for (std::size_t size = 0; size < content.size() - 2; ++size) {
    const Bytes cut(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(told(segment_of(cut)) == Orientation::top_left);
    Bytes file{0xFF, 0xD8};
    file.insert(file.end(), whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(orientation_of_jpeg(file) == Orientation::top_left);
  }
  CHECK(orientation_of_jpeg({}) == Orientation::top_left);
  CHECK(told({0xFF, 0xE1, 0, 1}) == Orientation::top_left);
  CHECK(decode_jpeg(with(segment_of(Exif{.orientation = 6, .directory = 0xFFFFFFF0})), "a.jpg").width == 16);
}
