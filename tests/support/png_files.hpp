/// \file
/// PNG files of every kind made by hand, for tests of what reads them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "files/gzip.hpp"

namespace graphrun::testing::png {

using Bytes = files::Bytes;

inline constexpr std::uint8_t grey = 0;
inline constexpr std::uint8_t rgb = 2;
inline constexpr std::uint8_t indexed = 3;
inline constexpr std::uint8_t grey_alpha = 4;
inline constexpr std::uint8_t rgb_alpha = 6;

struct PngKind {
  std::uint32_t width = 1;
  std::uint32_t height = 1;
  std::uint8_t bits = 8;
  std::uint8_t kind = grey;
  bool interlaced = false;
};

/// Chunks between the header and the pixels: names and contents.
using Chunks = std::vector<std::pair<std::string, Bytes>>;

inline void append(Bytes& file, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) file.push_back(static_cast<std::uint8_t>(value >> shift));
}

inline void append_chunk(files::Bytes& file, const std::string& name, const files::Bytes& contents) {
  append(file, static_cast<std::uint32_t>(contents.size()));
  files::Bytes chunk(name.begin(), name.end());
  chunk.insert(chunk.end(), contents.begin(), contents.end());
  file.insert(file.end(), chunk.begin(), chunk.end());
  append(file, files::crc32(chunk));
}

/// One stored block of zlib's format: at most 65,535 bytes.
inline files::Bytes stored(const files::Bytes& data) {
  files::Bytes result{0x78, 0x01, 1};
  const auto size = static_cast<unsigned>(data.size());
  for (const unsigned part : {size & 255U, size >> 8U, ~size & 255U, (~size >> 8U) & 255U})
    result.push_back(static_cast<std::uint8_t>(part));
  result.insert(result.end(), data.begin(), data.end());
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const std::uint8_t byte : data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  append(result, (b << 16U) | a);
  return result;
}

/// A whole file around filtered lines; none: too little data.
inline files::Bytes png_of(const PngKind& kind, const files::Bytes& lines, const Chunks& chunks = {}) {
  files::Bytes file{0x89, 'P', 'N', 'G', 13, 10, 26, 10};
  files::Bytes header;
  append(header, kind.width);
  append(header, kind.height);
  for (const int byte : {int{kind.bits}, int{kind.kind}, 0, 0, kind.interlaced ? 1 : 0})
    header.push_back(static_cast<std::uint8_t>(byte));
  append_chunk(file, "IHDR", header);
  for (const auto& [name, contents] : chunks) append_chunk(file, name, contents);
  append_chunk(file, "IDAT", lines.empty() ? files::Bytes{} : stored(lines));
  if (!lines.empty()) append_chunk(file, "IEND", {});
  return file;
}

/// A picture of one line.
inline files::Bytes png_bytes(const PngKind& kind, files::Bytes line, const Chunks& chunks = {}) {
  line.insert(line.begin(), 0);
  return png_of(kind, line, chunks);
}

}  // namespace graphrun::testing::png
