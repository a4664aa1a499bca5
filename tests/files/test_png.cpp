#include <random>

#include "files/file.hpp"
#include "files/png/png.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/png_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using namespace graphrun::testing::png;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::thrown;
using graphrun::testing::throws;

namespace {

Image noise(std::size_t height, std::size_t width, std::size_t channels) {
  std::mt19937 random(1);
  Image image{height, width, channels, {}};
  for (std::size_t i = 0; i < height * width * channels; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>(random()));
  }
  return image;
}

bool refused(const Bytes& file, const std::string& part) {
  return throws([&] { decode_png(file, "a.png"); }, ErrorCode::data, part);
}

/// A PNG whose header says this, followed by a chunk of too little data.
Bytes with_header(std::uint32_t width, std::uint32_t height, std::uint8_t bits, std::uint8_t kind) {
  return png_of({width, height, bits, kind}, {});
}

}  // namespace

TEST_CASE("PNG: what is written is read, grey and colour, of any size") {
  const TemporaryFolder folder;
  for (const std::size_t channels : {1U, 3U}) {
    for (const std::size_t side : {1U, 2U, 7U, 300U}) {
      const Image image = noise(side, side + 1, channels);
      write_png(folder / "a.png", image);
      const Image again = read_png(folder / "a.png");
      CHECK(again.height == side);
      CHECK(again.width == side + 1);
      CHECK(again.channels == channels);
      CHECK(again.pixels == image.pixels);
    }
  }
}

TEST_CASE("PNG: pictures that cannot be encoded") {
  const auto wrong = [](const Image& image, const std::string& part) {
    return throws([&] { encode_png(image); }, ErrorCode::usage, part);
  };
  CHECK(wrong({}, "a picture of 0 x 0 pixels"));
  CHECK(wrong({1, 1, 2, {0, 0}}, "2 channels"));
  CHECK(wrong({2, 2, 1, {0, 0, 0}}, "2 x 2 pixels, 1 channels and 3 bytes cannot be a PNG"));
  CHECK(wrong({1, 40000, 1, Bytes(40000)}, "40000 x 1 pixels"));
}

TEST_CASE("PNG: cut off at every byte, and any changed byte, is found") {
  const Bytes whole = encode_png(noise(6, 5, 3));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(refused(cut, "a.png: error: is "));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] ^= 4;
    INFO("byte " << at);
    REQUIRE(refused(damaged, "a.png: error: "));
  }
}

TEST_CASE("PNG: what is no PNG, and sizes that are not read") {
  CHECK(refused({}, "is no PNG file"));
  CHECK(refused({'G', 'I', 'F', '8', '9', 'a', 0, 0, 0}, "is no PNG file"));
  CHECK(refused(with_header(40000, 4, 8, 0), "damaged PNG: Invalid IHDR data"));
  CHECK(refused(with_header(0, 4, 8, 0), "damaged PNG: Invalid IHDR data"));
  CHECK(refused(with_header(30000, 30000, 8, 2),
                "promises 30000 x 30000 pixels of 3 bytes, more than the 1677"));
  CHECK(refused(with_header(30000, 30000, 1, 3), "a.png: error: "));
  CHECK(refused(with_header(4, 4, 8, 0), "damaged PNG: "));
}

TEST_CASE("PNG: every kind becomes grey or RGB of 8 bits") {
  using Pixels = std::vector<std::uint8_t>;
  const auto check = [](const Bytes& file, std::size_t channels, const Pixels& pixels) {
    const Image image = decode_png(file, "a.png");
    CHECK(image.channels == channels);
    CHECK(image.width == 2);
    CHECK(image.pixels == pixels);
  };
  check(png_bytes({2, 1, 1, grey}, {0b01000000}), 1, {0, 255});
  check(png_bytes({2, 1, 4, grey}, {0x3f}), 1, {0x33, 255});
  // 16 bits: 0x1234 is 4660 / 257 = 18.1, 0xff80 rounds up.
  check(png_bytes({2, 1, 16, grey}, {0x12, 0x34, 0xff, 0x80}), 1, {18, 255});
  check(png_bytes({2, 1, 8, grey_alpha}, {200, 255, 200, 128}), 1, {200, 100});
  check(png_bytes({2, 1, 8, rgb_alpha}, {1, 2, 3, 255, 255, 255, 255, 0}), 3, {1, 2, 3, 0, 0, 0});
  const Bytes palette{10, 20, 30, 40, 50, 60};
  check(png_bytes({2, 1, 8, indexed}, {1, 0}, {{"PLTE", palette}}), 3, {40, 50, 60, 10, 20, 30});
  check(png_bytes({2, 1, 1, indexed}, {0b01000000}, {{"PLTE", palette}}), 3, {10, 20, 30, 40, 50, 60});
  // An alpha for the first colour of the palette only.
  check(png_bytes({2, 1, 8, indexed}, {1, 0}, {{"PLTE", palette}, {"tRNS", {0}}}), 3, {40, 50, 60, 0, 0, 0});
  check(png_bytes({2, 1, 8, grey}, {7, 9}, {{"tRNS", {0, 7}}}), 1, {0, 9});
  CHECK(refused(png_bytes({2, 1, 8, indexed}, {1, 0}), "a.png: error: is a damaged PNG: "));
}

TEST_CASE("PNG: interlaced pictures are put together") {
  // Adam7, 2 x 2: the first pass has (0, 0), the sixth (1, 0), the seventh the second line.
  PngKind kind{2, 2, 8, grey};
  kind.interlaced = true;
  Bytes file = png_of(kind, {0, 1, 0, 2, 0, 3, 4});
  CHECK(decode_png(file, "a.png").pixels == std::vector<std::uint8_t>{1, 2, 3, 4});
}

TEST_CASE("PNG: wrong colour profiles and other additions are passed over, damaged ones are not") {
  const Bytes profile{'x', 0, 0, 1, 2, 3};
  Bytes file =
      png_bytes({2, 1, 8, grey}, {1, 2}, {{"iCCP", profile}, {"tEXt", {'a', 0, 'b'}}, {"gAMA", {0}}});
  CHECK(decode_png(file, "a.png").pixels == std::vector<std::uint8_t>{1, 2});
  file[8 + 25 + 8] ^= 1;  // the profile, behind its length and name
  CHECK(refused(file, "damaged PNG: "));
}

TEST_CASE("PNG: other kinds cut off at every byte, and with any changed bit of the header") {
  const Bytes palette{10, 20, 30, 40, 50, 60};
  for (const Bytes& whole :
       {png_bytes({2, 1, 16, rgb_alpha}, Bytes(16, 9)),
        png_bytes({2, 1, 1, indexed}, {0b01000000}, {{"PLTE", palette}, {"tRNS", {0}}})}) {
    for (std::size_t size = 0; size < whole.size(); ++size)
      REQUIRE(
          refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, "a.png: error: is "));
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        Bytes damaged = whole;
        damaged[at] ^= static_cast<std::uint8_t>(1 << bit);
        INFO("byte " << at << ", bit " << bit);
        REQUIRE(refused(damaged, "a.png: error: "));
      }
    }
  }
}

TEST_CASE("PNG: bytes behind the picture") {
  Bytes file = encode_png(noise(3, 3, 1));
  file.push_back(0);
  CHECK(refused(file, "has 1 bytes behind the picture"));
}
