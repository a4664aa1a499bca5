/// \file
/// IDX, the format of MNIST and its relatives, plain or gzip: a magic number 00 00 TYPE RANK, RANK sizes as
/// big-endian u32, then the values. Only unsigned bytes (TYPE 08) are read: images and labels are that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "files/byte_source.hpp"

namespace graphrun::files {

struct IdxArray {
  std::vector<std::size_t> shape;  ///< 1 to 4 sizes, the first is the count
  Bytes values;                    ///< row-major, exactly the product of the shape
};

/// No IDX file with more values than this is read.
inline constexpr std::uint64_t largest_idx = std::uint64_t{1} << 32;

/// Reads a file. What the header promises must be there, and nothing behind it; nothing is allocated that
/// a file of this size is not believed to hold. Error{data} says what is wrong, Error{io} what the system
/// refused.
IdxArray read_idx(const std::filesystem::path& path);

/// The same from uncompressed bytes in order. `limit` is the most bytes that the source can have, header
/// included; `path` is for errors only.
IdxArray read_idx(ByteSource& source, std::uint64_t limit, const std::filesystem::path& path);

}  // namespace graphrun::files
