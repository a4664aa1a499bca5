/// \file
/// Files as graphrun needs them: read whole or in pieces with limits, and written so that a reader sees the
/// old contents or the new ones, never a mixture, whatever fails in between.
///
/// Errors of the operating system are Error{io}: where().file is the path, the message has the system's
/// own words. Only regular files are read: a pipe or a device could hang or never end. Thread safety: the
/// functions may be called from any thread; one object belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graphrun/error.hpp"

namespace graphrun::files {

using Bytes = std::vector<std::uint8_t>;

/// "FILE: error: cannot ACTION: No space left on device", for `number` an errno value.
Error io_error(const std::filesystem::path& path, std::string_view action, int number);

/// "FILE: error: MESSAGE", for contents that are wrong.
Error data_error(const std::filesystem::path& path, const std::string& message);

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int number() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }
  /// Closes now and returns 0 or the errno of close(2), which for a written file may be a lost write.
  int close() noexcept;

 private:
  int number_ = -1;
};

/// A regular file opened for reading.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path);
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Its size when it was opened.
  std::uint64_t size() const noexcept { return size_; }
  /// Fills `into` from the bytes that start at `offset`; Error{data} if the file ends before.
  void read_exactly(std::uint64_t offset, std::span<std::uint8_t> into) const;
  /// Reads what there is from `offset` on, at most into.size() bytes; 0 only at the end of the file.
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const;

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

/// The whole file. Error{data} if it has more than `limit` bytes or changes its size meanwhile.
Bytes read_file(const std::filesystem::path& path, std::uint64_t limit);
std::string read_text_file(const std::filesystem::path& path, std::uint64_t limit);

/// Writes a file that appears under its name only when commit() returns: the bytes go to a temporary name
/// in the same folder, are fsynced, renamed, and the folder is fsynced. Until then, and after any error, the
/// old file is untouched; without a commit the destructor removes the temporary one. A symbolic link is
/// followed, and stays; a file keeps its permissions; Error{io} for a device, a pipe or a folder. After an
/// error of write() or commit(), the object may only be destroyed.
class AtomicFile {
 public:
  /// The folder must exist.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();
  void write(std::span<const std::uint8_t> bytes);
  void write(std::string_view text);
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  Descriptor descriptor_;
};

/// Removes what processes that were killed have left of their AtomicFiles in a folder; not those of the
/// living.
void remove_leftovers(const std::filesystem::path& folder);

/// AtomicFile in one call.
void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void write_text_file(const std::filesystem::path& path, std::string_view text);

/// Writes all of `bytes` to a descriptor, past short writes and signals. `path` is for the error.
void write_fully(int descriptor, std::span<const std::uint8_t> bytes, const std::filesystem::path& path);

/// Creates the folder and those above it; nothing happens if it is there.
void create_folders(const std::filesystem::path& folder);

/// Makes creations, renames and removals in a folder durable.
void sync_folder(const std::filesystem::path& folder);

/// Text as bytes, without a copy.
std::span<const std::uint8_t> as_bytes(std::string_view text) noexcept;

}  // namespace graphrun::files
