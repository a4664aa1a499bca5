/// \file
/// Reads and writes safetensors files (github.com/huggingface/safetensors, "Format"): a u64 length, a JSON
/// header, then the tensors' bytes, little-endian, dense, row-major, without holes.
///
/// Files that graphrun writes carry CRC-32 sums of the header and of every tensor in their metadata, so that
/// any single changed byte is found when they are read; files of others need none. A file is never mapped
/// into memory: one that shrinks meanwhile gives an error instead of a signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"
#include "files/safetensors_header.hpp"
#include "files/stored_bytes.hpp"

namespace graphrun::files {

/// A tensor to be written; the bytes are borrowed.
struct TensorView {
  std::string name;
  StoredType type = StoredType::f32;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes a file, complete or not at all (see AtomicFile). Larger element types come first, so that every
/// tensor is aligned. Error{usage}: a name twice, reserved or not UTF-8, bytes that do not fit the shape,
/// metadata keys that begin with "graphrun.crc32". Error{io}: see AtomicFile.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata);
/// The bytes of the same file. Errors but Error{io} as above.
std::vector<std::byte> safetensors_bytes(std::span<const TensorView> tensors,
                                         const std::map<std::string, std::string>& metadata);

/// An open file whose header was checked: what tensors() says can be believed.
class SafetensorsFile {
 public:
  /// Error{io}; Error{data} for anything that breaks the format, or a header that its sum does not fit.
  explicit SafetensorsFile(const std::filesystem::path& path);
  /// The same of bytes in memory, which must outlive this.
  explicit SafetensorsFile(StoredBytes bytes);
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  const std::filesystem::path& path() const noexcept { return file_.path(); }
  /// In the order of their bytes.
  const std::vector<StoredTensor>& tensors() const noexcept { return header_.tensors; }
  /// Without graphrun's sums.
  const std::map<std::string, std::string>& metadata() const noexcept { return header_.metadata; }
  /// Whether graphrun wrote it, so that damage is found.
  bool has_sums() const noexcept { return has_sums_; }
  /// The tensor of that name, or null.
  const StoredTensor* find(std::string_view name) const noexcept;

  /// Reads one of tensors() into exactly as many bytes as it has. Error{data} if its sum does not fit.
  void read(const StoredTensor& tensor, std::span<std::byte> into) const;
  std::vector<std::byte> read(const StoredTensor& tensor) const;
  /// Reads everything, a piece at a time, and checks the sums.
  void verify() const;

 private:
  void read_header();
  void take_sums(std::string_view json);
  void check_sum(const StoredTensor& tensor, std::uint32_t sum) const;
  std::uint64_t place_of(const StoredTensor& tensor) const noexcept { return payload_begin_ + tensor.begin; }

  StoredBytes file_;
  std::uint64_t payload_begin_ = 0;
  SafetensorsHeader header_;
  std::vector<const StoredTensor*> by_name_;
  bool has_sums_ = false;
};

}  // namespace graphrun::files
