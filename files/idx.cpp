#include "files/idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "files/array_pieces.hpp"
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

namespace {

/// A gzip file, unpacked.
class PackedFile final : public ByteSource {
 public:
  explicit PackedFile(const fs::path& path) : file_(path), unpacked_(file_, path) {}
  std::size_t read(std::span<std::uint8_t> into) override { return unpacked_.read(into); }

 private:
  FileSource file_;
  GzipSource unpacked_;
};

[[noreturn]] void fail_on_size(const std::vector<std::size_t>& shape, const fs::path& path) {
  throw data_error(path, fmt::format("promises [{}] values, more than the {} bytes that are read",
                                     fmt::join(shape, ", "), largest_idx));
}

/// Reads magic and sizes. `limit` is the most bytes that the source can have.
ArrayLayout read_layout(ByteSource& source, std::uint64_t limit, const fs::path& path) {
  std::array<std::uint8_t, 4> magic{};
  read_header(source, magic, path);
  check_magic(magic, path);
  ArrayLayout layout{.type = type_of(magic[2], path), .shape = read_shape(source, magic[3], path)};
  layout.is_big_endian = size_of(layout.type) > 1;
  const std::uint64_t header = 4 + 4 * layout.shape.size();
  const std::optional<std::uint64_t> bytes = byte_count(layout.type, layout.shape);
  if (!bytes) fail_on_size(layout.shape, path);
  if (*bytes > limit || header > limit - *bytes) {
    throw data_error(path,
                     fmt::format("promises [{}] values, more than the {} bytes that a file of its size is "
                                 "believed to hold: it is cut off, or its header is wrong",
                                 fmt::join(layout.shape, ", "), limit));
  }
  layout.bytes = *bytes;
  return layout;
}

}  // namespace

ArrayPieces idx_pieces(const fs::path& path) {
  std::array<std::uint8_t, 2> start{};
  auto file = std::make_unique<FileSource>(path);
  const std::uint64_t size = file->size();
  const bool is_packed = file->read_all(start) == start.size() && looks_like_gzip(start);
  std::unique_ptr<ByteSource> source = std::make_unique<FileSource>(path);
  if (is_packed) source = std::make_unique<PackedFile>(path);
  ArrayLayout layout = read_layout(*source, is_packed ? believable(size) : size, path);
  return {path, std::move(source), std::move(layout)};
}

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
  ArrayLayout layout = read_layout(source, limit, path);
  const std::uint64_t count = layout.bytes;
  if (count > largest_idx) fail_on_size(layout.shape, path);
  IdxArray array;
  array.type = layout.type;
  array.shape = std::move(layout.shape);
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
