/// \file
/// Bytes in order, wherever they come from: readers of formats take this, so that one reader serves plain
/// files, compressed files and memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "files/file.hpp"

namespace graphrun::files {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  /// Reads at most into.size() bytes, at least one unless `into` is empty; 0 means the end.
  virtual std::size_t read(std::span<std::uint8_t> into) = 0;
  /// Fills `into` as far as the bytes reach and returns how many there were.
  std::size_t read_all(std::span<std::uint8_t> into) {
    std::size_t done = 0;
    while (done < into.size()) {
      const std::size_t got = read(into.subspan(done));
      if (got == 0) break;
      done += got;
    }
    return done;
  }
};

class MemorySource final : public ByteSource {
 public:
  /// The bytes must outlive this.
  explicit MemorySource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::size_t read(std::span<std::uint8_t> into) override {
    const std::size_t count = std::min(into.size(), bytes_.size());
    std::copy_n(bytes_.begin(), count, into.begin());
    bytes_ = bytes_.subspan(count);
    return count;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(std::filesystem::path path) : file_(std::move(path)) {}
  std::size_t read(std::span<std::uint8_t> into) override {
    const std::size_t count = file_.read(position_, into);
    position_ += count;
    return count;
  }
  std::uint64_t size() const noexcept { return file_.size(); }

 private:
  InputFile file_;
  std::uint64_t position_ = 0;
};

}  // namespace graphrun::files
