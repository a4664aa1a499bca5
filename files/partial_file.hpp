/// \file
/// A file that is being downloaded: what is there already is kept for the next try, and nobody takes it for
/// the whole before it was checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "files/file.hpp"

namespace graphrun::files {

/// "NAME.part" beside the file NAME that it is to become, opened for appending and locked, so that two
/// processes never write to one.
class PartialFile {
 public:
  /// Opens or creates it. Error{io}, also when another process has it.
  explicit PartialFile(std::filesystem::path whole);
  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint64_t size() const noexcept { return size_; }
  void append(std::span<const std::uint8_t> bytes);
  /// Throws away what is there.
  void restart();
  /// Gives it its final name, durably (see AtomicFile). It may not be used afterwards.
  void finish();
  /// Removes it. It may not be used afterwards.
  void discard();

 private:
  bool lock();

  std::filesystem::path whole_;
  std::filesystem::path path_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace graphrun::files
