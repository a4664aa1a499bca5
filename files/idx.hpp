/// \file
/// IDX, the format of MNIST and its relatives, plain or gzip: a magic number 00 00 TYPE RANK, RANK sizes as
/// big-endian u32, then the values, big-endian: u8 (TYPE 08), i8 (09), i16 (0B), i32 (0C), f32 (0D), f64
/// (0E).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "files/byte_source.hpp"
#include "files/stored_type.hpp"

namespace graphrun::files {

struct IdxArray {
  std::vector<std::size_t> shape;  ///< 1 to 4 sizes, the first is the count
  StoredType type = StoredType::u8;
  Bytes values;  ///< the bytes of its elements, as this machine has them; row-major, exactly the shape's
};

/// No IDX file with more bytes of values than this is read into memory.
inline constexpr std::uint64_t largest_idx = std::uint64_t{1} << 32;

/// Reads a file. What the header promises must be there, and nothing behind it; nothing is allocated that
/// a file of this size is not believed to hold. Error{data} says what is wrong, Error{io} what the system
/// refused.
IdxArray read_idx(const std::filesystem::path& path);

/// The same from uncompressed bytes in order. `limit` is the most bytes that the source can have, header
/// included; `path` is for errors only.
IdxArray read_idx(ByteSource& source, std::uint64_t limit, const std::filesystem::path& path);

}  // namespace graphrun::files
