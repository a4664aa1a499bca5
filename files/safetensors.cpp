#include "files/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "files/gzip.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t length_bytes = 8;
constexpr std::uint64_t largest_header = 100'000'000;  // the format's own limit
constexpr std::size_t sum_digits = 8;

// Two keys, so that no single changed byte can make a file look like one without sums.
constexpr std::string_view sums_prefix = "graphrun.crc32";
constexpr const char* header_sum_key = "graphrun.crc32.header";
constexpr const char* tensor_sums_key = "graphrun.crc32.tensors";

std::span<const std::uint8_t> unsigned_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

/// The sum of a header in which the digits of the sum itself are zeros.
std::uint32_t header_sum(std::string json, std::size_t digits_at) {
  json.replace(digits_at, sum_digits, sum_digits, '0');
  return crc32(as_bytes(json));
}

/// Where the digits of the header's sum stand. Inside a JSON text every quote has a backslash before it, so
/// nothing but the key itself can look like this.
std::size_t header_sum_place(std::string_view json) {
  const std::string marker = fmt::format("\"{}\":\"", header_sum_key);
  const std::size_t found = json.find(marker);
  if (found == std::string_view::npos || found + marker.size() + sum_digits > json.size()) {
    return std::string_view::npos;
  }
  return found + marker.size();
}

std::vector<TensorView> largest_elements_first(std::span<const TensorView> tensors) {
  std::vector<TensorView> sorted(tensors.begin(), tensors.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(),
                           [](const TensorView& tensor) { return size_of(tensor.type); });
  return sorted;
}

SafetensorsHeader header_of(std::span<const TensorView> tensors,
                            const std::map<std::string, std::string>& metadata) {
  SafetensorsHeader header;
  header.metadata = metadata;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with(sums_prefix))
      throw Error(ErrorCode::usage, fmt::format("metadata may not be named '{}'", key));
  }
  std::string sums;
  std::uint64_t end = 0;
  for (const TensorView& tensor : tensors) {
    if (byte_count(tensor.type, tensor.shape) != tensor.bytes.size()) {
      throw Error(ErrorCode::usage,
                  fmt::format("tensor '{}' is given {} bytes, which its shape [{}] does not take",
                              tensor.name, tensor.bytes.size(), fmt::join(tensor.shape, ", ")));
    }
    const std::uint64_t begin = end;
    end += tensor.bytes.size();
    header.tensors.push_back({tensor.name, tensor.type, tensor.shape, begin, end, {}});
    sums += fmt::format("{:08x}", crc32(unsigned_bytes(tensor.bytes)));
  }
  header.metadata[tensor_sums_key] = sums;
  header.metadata[header_sum_key] = std::string(sum_digits, '0');
  return header;
}

/// The JSON with its own sum in it, padded so that the data begins at a multiple of 8.
std::string complete_header(const SafetensorsHeader& header) {
  std::string json = format_safetensors_header(header);
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const std::size_t place = header_sum_place(json);
  return json.replace(place, sum_digits, fmt::format("{:08x}", header_sum(json, place)));
}

/// Eight lower-case hexadecimal digits, nothing else.
bool parse_sum(std::string_view digits, std::uint32_t& sum) {
  if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sum, 16);
  return error == std::errc() && end == digits.data() + digits.size() && digits.size() == sum_digits;
}

Error damaged(const fs::path& path, const std::string& what) {
  return data_error(path,
                    fmt::format("is damaged: {} (or another program changed it and kept the sum)", what));
}

/// Hands on the file, piece by piece.
template <class Write>
void emit(std::span<const TensorView> tensors, const std::map<std::string, std::string>& metadata,
          const Write& write) {
  const std::vector<TensorView> sorted = largest_elements_first(tensors);
  const std::string json = complete_header(header_of(sorted, metadata));
  if (json.size() > largest_header) {
    throw Error(ErrorCode::usage,
                fmt::format("the header of a safetensors file would have {} bytes; at most {} are "
                            "allowed",
                            json.size(), largest_header));
  }
  std::array<std::uint8_t, length_bytes> length{};
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<std::uint8_t>(json.size() >> (8 * i));
  write(std::span<const std::uint8_t>(length));
  write(as_bytes(json));
  for (const TensorView& tensor : sorted) write(unsigned_bytes(tensor.bytes));
}

}  // namespace

void write_safetensors(const fs::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::optional<AtomicFile> file;
  emit(tensors, metadata, [&](std::span<const std::uint8_t> piece) {
    if (!file) file.emplace(path);
    file->write(piece);
  });
  file->commit();
}

std::vector<std::byte> safetensors_bytes(std::span<const TensorView> tensors,
                                         const std::map<std::string, std::string>& metadata) {
  std::vector<std::byte> bytes;
  emit(tensors, metadata, [&](std::span<const std::uint8_t> piece) {
    const std::span<const std::byte> more = std::as_bytes(piece);
    bytes.insert(bytes.end(), more.begin(), more.end());
  });
  return bytes;
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : SafetensorsFile(StoredBytes(path)) {}

SafetensorsFile::SafetensorsFile(StoredBytes bytes) : file_(std::move(bytes)) {
  read_header();
}

void SafetensorsFile::read_header() {
  if (file_.size() < length_bytes)
    throw data_error(path(), "is no safetensors file: it has less than 8 bytes");
  std::array<std::uint8_t, length_bytes> bytes{};
  file_.read_exactly(0, bytes);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) length |= std::uint64_t{bytes[i]} << (8 * i);
  if (length > largest_header || length > file_.size() - length_bytes) {
    throw data_error(
        path(), fmt::format("is no safetensors file, or is cut off: its header should have {} bytes, the "
                            "file has {}",
                            length, file_.size()));
  }
  Bytes header(length);
  file_.read_exactly(length_bytes, header);
  payload_begin_ = length_bytes + length;
  const std::string_view json(reinterpret_cast<const char*>(header.data()), header.size());
  header_ = parse_safetensors_header(json, file_.size() - payload_begin_, path());
  take_sums(json);
  for (const StoredTensor& tensor : tensors()) by_name_.push_back(&tensor);
  std::ranges::sort(by_name_, {}, &StoredTensor::name);
}

/// Moves graphrun's sums out of the metadata and checks the header's own.
void SafetensorsFile::take_sums(std::string_view json) {
  const auto of_header = header_.metadata.extract(header_sum_key);
  const auto of_tensors = header_.metadata.extract(tensor_sums_key);
  if (of_header.empty() && of_tensors.empty()) return;
  if (of_header.empty() || of_tensors.empty()) throw damaged(path(), "one of its two sums is missing");
  const std::size_t place = header_sum_place(json);
  std::uint32_t sum = 0;
  if (place == std::string_view::npos || !parse_sum(of_header.mapped(), sum) ||
      sum != header_sum(std::string(json), place)) {
    throw damaged(path(), "the sum of its header does not fit");
  }
  const std::string& digits = of_tensors.mapped();
  if (digits.size() != sum_digits * tensors().size())
    throw damaged(path(), "it has too few or too many sums");
  for (std::size_t i = 0; i < tensors().size(); ++i) {
    if (!parse_sum(std::string_view(digits).substr(sum_digits * i, sum_digits), sum)) {
      throw damaged(path(), "a sum is no hexadecimal number");
    }
    header_.tensors[i].sum = sum;
  }
  has_sums_ = true;
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const noexcept {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [](const StoredTensor* tensor) { return std::string_view(tensor->name); });
  return found == by_name_.end() || (*found)->name != name ? nullptr : *found;
}

void SafetensorsFile::check_sum(const StoredTensor& tensor, std::uint32_t sum) const {
  if (tensor.sum && *tensor.sum != sum)
    throw damaged(path(), fmt::format("the sum of tensor '{}' does not fit", tensor.name));
}

void SafetensorsFile::read(const StoredTensor& tensor, std::span<std::byte> into) const {
  if (into.size() != tensor.end - tensor.begin) {
    throw Error(ErrorCode::usage, fmt::format("tensor '{}' has {} bytes, room is given for {}", tensor.name,
                                              tensor.end - tensor.begin, into.size()));
  }
  const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(into.data()), into.size());
  file_.read_exactly(place_of(tensor), bytes);
  check_sum(tensor, crc32(bytes));
}

std::vector<std::byte> SafetensorsFile::read(const StoredTensor& tensor) const {
  std::vector<std::byte> bytes(tensor.end - tensor.begin);
  read(tensor, bytes);
  return bytes;
}

void SafetensorsFile::verify() const {
  Bytes piece(64 * 1024);
  for (const StoredTensor& tensor : tensors()) {
    std::uint32_t sum = 0;
    for (std::uint64_t at = tensor.begin; at < tensor.end; at += piece.size()) {
      const std::span part = std::span(piece).first(std::min<std::uint64_t>(piece.size(), tensor.end - at));
      file_.read_exactly(payload_begin_ + at, part);
      sum = crc32(part, sum);
    }
    check_sum(tensor, sum);
  }
}

}  // namespace graphrun::files
