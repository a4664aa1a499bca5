#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/file.hpp"
#include "train/gzip.hpp"
#include "train/png.hpp"

using namespace graphrun;
using namespace graphrun::train;
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

void append(Bytes& file, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) file.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// A PNG whose header says this, followed by a chunk of too little data.
Bytes with_header(std::uint32_t width, std::uint32_t height, std::uint8_t bits, std::uint8_t kind,
                  std::uint8_t interlaced = 0) {
  Bytes file{0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13};
  Bytes chunk{'I', 'H', 'D', 'R'};
  append(chunk, width);
  append(chunk, height);
  for (const std::uint8_t byte : {bits, kind, std::uint8_t{0}, std::uint8_t{0}, interlaced})
    chunk.push_back(byte);
  file.insert(file.end(), chunk.begin(), chunk.end());
  append(file, crc32(chunk));
  const Bytes empty_data{0, 0, 0, 0, 'I', 'D', 'A', 'T'};
  file.insert(file.end(), empty_data.begin(), empty_data.end());
  append(file, crc32(std::span(empty_data).subspan(4)));
  return file;
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

TEST_CASE("PNG: kinds and sizes that are not read") {
  CHECK(refused({}, "is no PNG file"));
  CHECK(refused({'G', 'I', 'F', '8', '9', 'a', 0, 0, 0}, "is no PNG file"));
  CHECK(refused(with_header(4, 4, 16, 0), "of a kind that is not read: convert it to 8-bit grey or RGB"));
  CHECK(refused(with_header(4, 4, 8, 6), "of a kind that is not read"));
  CHECK(refused(with_header(4, 4, 8, 0, 1), "of a kind that is not read"));
  CHECK(refused(with_header(40000, 4, 8, 0), "damaged PNG: Invalid IHDR data"));
  CHECK(refused(with_header(0, 4, 8, 0), "damaged PNG: Invalid IHDR data"));
  CHECK(refused(with_header(30000, 30000, 8, 2),
                "promises 30000 x 30000 pixels, more than a file of its size"));
  CHECK(refused(with_header(4, 4, 8, 0), "damaged PNG: "));
}

TEST_CASE("PNG: bytes behind the picture") {
  Bytes file = encode_png(noise(3, 3, 1));
  file.push_back(0);
  CHECK(refused(file, "has 1 bytes behind the picture"));
}
