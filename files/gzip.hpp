/// \file
/// The only place that uses zlib: decompression as a stream, and the CRC-32 that gzip uses.
#pragma once

#include <filesystem>
#include <memory>

#include "files/byte_source.hpp"

namespace graphrun::files {

/// Whether bytes begin like a gzip file.
bool looks_like_gzip(std::span<const std::uint8_t> bytes) noexcept;

/// Decompresses gzip (RFC 1952), one member or several behind each other. Memory does not grow with the
/// data: the caller says how much it takes, and the length that the file claims is never trusted.
/// Zeros behind the last member are padding. Error{data} for anything but gzip, a wrong CRC or length, a file
/// cut off, other bytes behind the last member.
class GzipSource final : public ByteSource {
 public:
  /// Raw: one run of deflate without a header, as in ZIP archives, which has no CRC of its own.
  enum class Format { gzip, raw };
  /// `compressed` must outlive this; `path` is for errors only.
  GzipSource(ByteSource& compressed, std::filesystem::path path, Format format = Format::gzip);
  ~GzipSource() override;
  /// Returns 0 only after the CRC of the last member was found right.
  std::size_t read(std::span<std::uint8_t> into) override;

 private:
  struct Stream;
  bool refill();
  bool next_member();
  void pass_over_zeros();

  ByteSource& compressed_;
  std::filesystem::path path_;
  Format format_;
  std::unique_ptr<Stream> stream_;
};

/// CRC-32 of bytes (polynomial 0x04C11DB7, as in gzip and PNG). Any error within 32 neighbouring bits changes
/// it. `start` is the sum of the bytes before these.
std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t start = 0) noexcept;

}  // namespace graphrun::files
