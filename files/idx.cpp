#include "files/idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "files/believable.hpp"
#include "files/gzip.hpp"
#include "runtime/machine/aligned.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::uint8_t, StoredType>, 6> type_codes{{{0x08, StoredType::u8},
                                                                         {0x09, StoredType::i8},
                                                                         {0x0B, StoredType::i16},
                                                                         {0x0C, StoredType::i32},
                                                                         {0x0D, StoredType::f32},
                                                                         {0x0E, StoredType::f64}}};
constexpr std::size_t largest_rank = 4;

/// What a file seems to be that is not IDX, for the error.
std::string likeness(std::span<const std::uint8_t> start) {
  if (start[0] == 0x93 && start[1] == 'N') return "; it looks like NPY";
  if (start[0] == 0x89 && start[1] == 'P') return "; it looks like a PNG image";
  if (start[0] == 'P' && start[1] == 'K') return "; it looks like a zip archive";
  if (start[0] == '<') return "; it looks like a web page";
  return {};
}

StoredType type_of(std::uint8_t code, const fs::path& path) {
  for (const auto& [known, type] : type_codes)
    if (known == code) return type;
  throw data_error(
      path, fmt::format("has IDX values of type 0x{:02x}; 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), "
                        "0x0d (f32) and 0x0e (f64) are read",
                        code));
}

void check_magic(std::span<const std::uint8_t, 4> magic, const fs::path& path) {
  if (magic[0] != 0 || magic[1] != 0) {
    throw data_error(path, fmt::format("is no IDX file: it begins with bytes {:02x} instead of 00 00{}",
                                       fmt::join(magic, " "), likeness(magic)));
  }
  if (magic[3] == 0 || magic[3] > largest_rank) {
    throw data_error(path, fmt::format("has {} IDX dimensions; 1 to {} are read", magic[3], largest_rank));
  }
}

void read_header(ByteSource& source, std::span<std::uint8_t> into, const fs::path& path) {
  if (source.read_all(into) != into.size()) throw data_error(path, "ends within its IDX header");
}

std::vector<std::size_t> read_shape(ByteSource& source, std::size_t rank, const fs::path& path) {
  std::vector<std::size_t> shape;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, 4> size{};
    read_header(source, size, path);
    shape.push_back((std::size_t{size[0]} << 24) | (std::size_t{size[1]} << 16) |
                    (std::size_t{size[2]} << 8) | size[3]);
  }
  return shape;
}

}  // namespace

IdxArray read_idx(const fs::path& path) {
  std::array<std::uint8_t, 2> start{};
  {
    FileSource file(path);
    if (file.read_all(start) != start.size()) throw data_error(path, "ends within its IDX header");
  }
  FileSource file(path);
  if (!looks_like_gzip(start)) return read_idx(file, file.size(), path);
  GzipSource decompressed(file, path);
  return read_idx(decompressed, believable(file.size()), path);
}

IdxArray read_idx(ByteSource& source, std::uint64_t limit, const fs::path& path) {
  std::array<std::uint8_t, 4> magic{};
  read_header(source, magic, path);
  check_magic(magic, path);
  IdxArray array;
  array.type = type_of(magic[2], path);
  array.shape = read_shape(source, magic[3], path);
  const std::uint64_t count = byte_count(array.type, array.shape).value_or(largest_idx + 1);
  if (count > largest_idx) {
    throw data_error(path, fmt::format("promises [{}] values, more than the {} bytes that are read",
                                       fmt::join(array.shape, ", "), largest_idx));
  }
  const std::uint64_t header = 4 + 4 * array.shape.size();
  if (header + count > limit) {
    throw data_error(path,
                     fmt::format("promises [{}] values, more than the {} bytes that a file of its size is "
                                 "believed to hold",
                                 fmt::join(array.shape, ", "), limit));
  }
  // 60,000 images would otherwise be 11,500 page faults, a tenth of the time to load them.
  array.values.reserve(count);
  runtime::ask_for_huge_pages(array.values.data(), count);
  array.values.resize(count);
  const std::size_t got = source.read_all(array.values);
  if (got != count) {
    throw data_error(path, fmt::format("promises [{}] values but ends after {} of {} bytes",
                                       fmt::join(array.shape, ", "), got, count));
  }
  std::uint8_t beyond = 0;
  if (source.read({&beyond, 1}) != 0) {
    throw data_error(
        path, fmt::format("goes on after the [{}] values that it promises", fmt::join(array.shape, ", ")));
  }
  swap_bytes(array.type, array.values);
  return array;
}

}  // namespace graphrun::files
