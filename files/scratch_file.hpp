/// \file
/// Bytes that are too many for memory: written once, in order, to a file without a name, and looked at
/// through memory that the system takes back when it is needed. The file is gone when nobody has it any more,
/// whatever happens to the program; so it is never stale.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "files/file.hpp"

namespace graphrun::files {

/// A file as memory. Thread safety: all of it may be called from any thread.
class MappedFile {
 public:
  /// The first `size` bytes of a file, which stays open. Error{io}.
  MappedFile(Descriptor file, std::size_t size, const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

  /// So many bytes were read: after most_at_once of them the pages are given back, and come from the file
  /// again when somebody looks. What it holds stays as it is.
  void has_read(std::size_t bytes) const noexcept;

  /// So much memory a file takes for what was read.
  static constexpr std::size_t most_at_once = std::size_t{128} << 20;

 private:
  Descriptor file_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  mutable std::atomic<std::size_t> read_ = 0;
};

/// Writes such a file: in $TMPDIR, or in /var/tmp, which is a disk where /tmp may be memory.
class ScratchFile {
 public:
  /// Error{io}.
  ScratchFile();
  void append(std::span<const std::byte> bytes);
  /// Reads what was written.
  void read(std::uint64_t offset, std::span<std::byte> into) const;
  std::uint64_t size() const noexcept { return size_; }
  /// Ends writing.
  std::shared_ptr<const MappedFile> mapped() &&;

 private:
  std::filesystem::path folder_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace graphrun::files
