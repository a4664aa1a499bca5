/// \file
/// IDX and gzip files made by hand, for tests of what reads them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "files/gzip.hpp"

namespace graphrun::testing {

inline std::vector<std::uint8_t> idx_bytes(const std::vector<std::uint32_t>& shape,
                                           const std::vector<std::uint8_t>& values) {
  std::vector<std::uint8_t> bytes{0, 0, 8, static_cast<std::uint8_t>(shape.size())};
  for (const std::uint32_t size : shape) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

/// One gzip member with one stored block: at most 65,535 bytes.
inline std::vector<std::uint8_t> gzip_bytes(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> file{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1};
  const auto append = [&](std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) file.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  const auto size = static_cast<std::uint32_t>(bytes.size());
  append(size, 2);
  append(~size, 2);
  file.insert(file.end(), bytes.begin(), bytes.end());
  append(files::crc32(bytes), 4);
  append(size, 4);
  return file;
}

}  // namespace graphrun::testing
