/// \file
/// Bytes that are read by their place, from a file or from memory, so that a format has one reader for both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <variant>

#include "files/file.hpp"

namespace graphrun::files {

class StoredBytes {
 public:
  /// Of a regular file, see InputFile.
  explicit StoredBytes(std::filesystem::path path) : bytes_(InputFile(std::move(path))) {}
  /// Of memory that is borrowed; `name` stands for the file in errors.
  StoredBytes(std::span<const std::byte> memory, std::filesystem::path name)
      : bytes_(Memory{memory, std::move(name)}) {}

  const std::filesystem::path& path() const noexcept;
  std::uint64_t size() const noexcept;
  /// Fills `into` from the bytes that start at `offset`; Error{data} if they end before, Error{io}.
  void read_exactly(std::uint64_t offset, std::span<std::uint8_t> into) const;

 private:
  struct Memory {
    std::span<const std::byte> bytes;
    std::filesystem::path name;
  };
  std::variant<InputFile, Memory> bytes_;
};

}  // namespace graphrun::files
