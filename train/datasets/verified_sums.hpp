/// \file
/// SHA-256 of the decompressed contents of data files, computed once and remembered.
#pragma once

#include <filesystem>
#include <string>

namespace graphrun::train {

/// The SHA-256 of what is in a file, decompressed if it is gzip. Error{data} for damaged gzip.
std::string decompressed_sha256(const std::filesystem::path& path);

/// Remembers sums in a small text file, a line "SUM SIZE MTIME PATH" for each data file: as long as the
/// path, the size and the time of the last change (in ns) are the same, the sum is believed. A memory file
/// that cannot be read or written, or lines that make no sense, cost time only. Several processes may use
/// one: at worst one forgets what another has added.
class VerifiedSums {
 public:
  /// `memory` is the text file; empty to remember nothing.
  explicit VerifiedSums(std::filesystem::path memory) : memory_(std::move(memory)) {}

  /// The sum of a data file, remembered or computed now.
  std::string sum_of(const std::filesystem::path& path) const;

 private:
  std::filesystem::path memory_;
};

}  // namespace graphrun::train
