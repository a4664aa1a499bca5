/// \file
/// The types of elements in files of arrays, and how many bytes a shape of them takes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace graphrun::files {

static_assert(std::endian::native == std::endian::little,
              "arrays are written to files as they lie in memory");

enum class StoredType { f32, f64, i32, i64, u8 };

constexpr std::size_t size_of(StoredType type) {
  switch (type) {
    case StoredType::f64:
    case StoredType::i64:
      return 8;
    case StoredType::f32:
    case StoredType::i32:
      return 4;
    case StoredType::u8:
      return 1;
  }
  return 0;
}

/// The product of the sizes times the size of an element; nothing if that does not fit 63 bits.
inline std::optional<std::uint64_t> byte_count(StoredType type, std::span<const std::size_t> shape) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t bytes = size_of(type);
  for (const std::size_t size : shape) {
    // With a zero among them the product is zero, yet sizes that overflow before it are a mistake too.
    if (size != 0 && bytes > most / size) return std::nullopt;
    bytes *= size;
  }
  return bytes;
}

}  // namespace graphrun::files
