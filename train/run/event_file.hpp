/// \file
/// Event files, the format that TensorBoard reads: records of a length, a checksum, a message and its
/// checksum (TFRecord), where a message is an `Event` in the wire format of protocol buffers. Both are small
/// enough to be written by hand, from tensorflow/core/lib/io/record_writer.h,
/// tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "files/file.hpp"
#include "train/learn/figures.hpp"

namespace graphrun::train {

/// CRC-32C (Castagnoli, RFC 3720): the checksum of records.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes) noexcept;

/// One file, appended to event by event. Each event is in the file when a call returns, though not yet forced
/// to the disk. Errors are Error{io}. Used from one thread at a time.
class EventFile {
 public:
  /// Starts a new file in `folder`, which is made if it is not there. What earlier files of the folder hold
  /// of steps after `last_step` is declared void: a run that is resumed does those steps again.
  EventFile(const std::filesystem::path& folder, std::uint64_t last_step);

  /// Numbers under their names, as f32.
  void scalars(std::uint64_t step, std::span<const Figure> figures);

  /// A picture, as the bytes of a PNG file. Error{usage} when they are none.
  void picture(std::uint64_t step, std::string_view tag, std::span<const std::uint8_t> png);

  const std::filesystem::path& path() const { return path_; }

 private:
  void append(std::string_view event);

  std::filesystem::path path_;
  files::Descriptor file_;
};

}  // namespace graphrun::train
