/// \file
/// An NPY file that is larger than memory, piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "files/byte_source.hpp"
#include "files/stored_type.hpp"

namespace graphrun::files {

class NpyPieces {
 public:
  /// Reads the header. Errors are those of read_npy().
  explicit NpyPieces(std::filesystem::path path);

  StoredType type() const { return type_; }
  const std::vector<std::size_t>& shape() const { return shape_; }
  /// Does the last axis run fastest? Otherwise pieces are no rows.
  bool is_row_major() const { return is_row_major_; }

  /// The next elements, as this machine has them; none at the end. Valid until the next call.
  std::span<const std::byte> next();

 private:
  std::filesystem::path path_;
  FileSource source_;
  StoredType type_ = StoredType::f32;
  std::vector<std::size_t> shape_;
  bool is_row_major_ = true;
  bool is_big_endian_ = false;
  std::uint64_t left_ = 0;
  Bytes piece_;
};

}  // namespace graphrun::files
