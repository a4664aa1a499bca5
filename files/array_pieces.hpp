/// \file
/// An array in a file that is larger than memory, piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "files/byte_source.hpp"
#include "files/stored_type.hpp"

namespace graphrun::files {

/// What the header of a file says of its array.
struct ArrayLayout {
  StoredType type = StoredType::f32;
  std::vector<std::size_t> shape;
  std::uint64_t bytes = 0;     ///< of all elements
  bool is_row_major = true;    ///< does the last axis run fastest? Otherwise pieces are no rows
  bool is_big_endian = false;  ///< as the file has its elements
};

class ArrayPieces {
 public:
  /// The elements come from the source, and nothing behind them; `path` is for errors.
  ArrayPieces(std::filesystem::path path, std::unique_ptr<ByteSource> source, ArrayLayout layout);

  const ArrayLayout& layout() const { return layout_; }
  /// The next rows, as this machine has their elements; none at the end. Valid until the next call.
  /// Error{data} for a file that ends before, or goes on behind.
  std::span<std::byte> next();

 private:
  std::filesystem::path path_;
  std::unique_ptr<ByteSource> source_;
  ArrayLayout layout_;
  std::uint64_t row_bytes_ = 1;
  std::uint64_t left_ = 0;
  Bytes piece_;
};

/// Of an NPY file, or an array in an NPZ file. Errors are those of read_npy().
ArrayPieces npy_pieces(const std::filesystem::path& path);

/// Of an IDX file, plain or gzip. Errors are those of read_idx().
ArrayPieces idx_pieces(const std::filesystem::path& path);

}  // namespace graphrun::files
