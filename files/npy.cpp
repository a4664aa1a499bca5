#include "files/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "errors/printable.hpp"
#include "files/array_pieces.hpp"
#include "files/file.hpp"
#include "files/npz.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::uint32_t largest_header = 10'000;  // NumPy's own limit
constexpr std::size_t largest_rank = 32;          // NumPy's own limit
constexpr std::size_t alignment = 64;             // of the data in a file that is written
constexpr std::size_t longest_text = 1'000'000;

/// What a header says.
struct NpyHeader {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

/// Reads {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }: the keys in any order, each once.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const fs::path& path) : text_(text), path_(path) {}

  NpyHeader parse() {
    expect('{');
    while (!take('}')) {
      entry();
      if (take(',')) continue;
      expect('}');
      break;
    }
    skip_spaces();
    if (at_ != text_.size()) fail("more text behind it");
    if (!seen_descr_ || !seen_order_ || !seen_shape_) fail("'descr', 'fortran_order' or 'shape' is missing");
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw data_error(
        path_, fmt::format("has an NPY header that cannot be read: {} (at character {})", what, at_ + 1));
  }

  void skip_spaces() { at_ = std::min(text_.find_first_not_of(" \n", at_), text_.size()); }

  bool take(char wanted) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!take(wanted)) fail(fmt::format("'{}' is missing", wanted));
  }

  void entry() {
    const std::string key = quoted();
    expect(':');
    if (key == "descr") {
      once(seen_descr_);
      if (skip_spaces(); at_ < text_.size() && text_[at_] == '[') fail("structures are not read");
      header_.descr = quoted();
    } else if (key == "fortran_order") {
      once(seen_order_);
      header_.fortran_order = boolean();
    } else if (key == "shape") {
      once(seen_shape_);
      header_.shape = tuple();
    } else {
      fail(fmt::format("unknown key '{}'", key));
    }
  }

  void once(bool& seen) const {
    if (seen) fail("a key is there twice");
    seen = true;
  }

  std::string quoted() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("a quote is not closed");
    const std::string_view inside = text_.substr(at_, end - at_);
    if (inside.find('\\') != std::string_view::npos) fail("escapes are not read");
    at_ = end + 1;
    return std::string(inside);
  }

  bool boolean() {
    skip_spaces();
    for (const auto& [name, value] : {std::pair("True", true), std::pair("False", false)}) {
      if (!text_.substr(at_).starts_with(name)) continue;
      at_ += std::strlen(name);
      return value;
    }
    fail("True or False is missing");
  }

  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> shape;
    expect('(');
    bool comma = false;
    while (!take(')')) {
      if (shape.size() == largest_rank) fail("more than 32 dimensions");
      shape.push_back(number());
      comma = take(',');
      if (comma) continue;
      expect(')');
      break;
    }
    if (shape.size() == 1 && !comma) fail("a tuple of one needs a comma");
    return shape;
  }

  std::size_t number() {
    skip_spaces();
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("a size that is no whole number from 0 up");
    at_ = static_cast<std::size_t>(end - text_.data());
    // Python 2 marked long numbers.
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    return value;
  }

  std::string_view text_;
  const fs::path& path_;
  std::size_t at_ = 0;
  NpyHeader header_;
  bool seen_descr_ = false;
  bool seen_order_ = false;
  bool seen_shape_ = false;
};

/// What a "descr" means: "<f4", "|u1", ">i2", "=f8".
struct ElementOrder {
  StoredType type = StoredType::f32;
  bool big_endian = false;
};

ElementOrder element_order(const std::string& descr, const fs::path& path) {
  const bool has_order = descr.find_first_of("<>|=") == 0;
  const std::string_view kind = std::string_view(descr).substr(has_order ? 1 : 0);
  for (const StoredTypeInfo& info : stored_types)
    if (!kind.empty() && kind == info.npy) return {info.type, descr.front() == '>'};
  if (descr.find('O') != std::string::npos) {
    throw data_error(
        path, "holds Python objects, which are never read: they can run code; save texts with .astype(str)");
  }
  throw data_error(path, fmt::format("holds values of type '{}'; numbers of f2, f4, f8, i1, i2, i4, i8, u1, "
                                     "u2, u4, u8 and b1 are read",
                                     descr));
}

/// As it is written.
std::string descr_of(StoredType type) {
  const StoredTypeInfo& info = info_of(type);
  if (info.npy.empty())
    throw Error(ErrorCode::usage, fmt::format("NPY has no name for elements of {}", info.name));
  return fmt::format("{}{}", info.size == 1 ? '|' : '<', info.npy);
}

void read_all(ByteSource& source, std::span<std::uint8_t> into, const fs::path& path) {
  if (source.read_all(into) != into.size()) throw data_error(path, "ends within its NPY header");
}

/// Reads magic, version, length and text of the header; `consumed` becomes their bytes.
NpyHeader read_header(ByteSource& source, std::uint64_t& consumed, const fs::path& path) {
  std::array<std::uint8_t, 8> start{};
  read_all(source, start, path);
  if (std::memcmp(start.data(), magic.data(), magic.size()) != 0) throw data_error(path, "is no NPY file");
  const std::uint8_t version = start[6];
  if (version < 1 || version > 3 || start[7] != 0) {
    throw data_error(path,
                     fmt::format("has NPY version {}.{}; 1.0, 2.0 and 3.0 are read", version, start[7]));
  }
  std::array<std::uint8_t, 4> size{};
  const std::size_t size_bytes = version == 1 ? 2 : 4;
  read_all(source, std::span(size).first(size_bytes), path);
  const std::uint32_t length = std::uint32_t{size[0]} | (std::uint32_t{size[1]} << 8) |
                               (std::uint32_t{size[2]} << 16) | (std::uint32_t{size[3]} << 24);
  if (length > largest_header) {
    throw data_error(
        path, fmt::format("has an NPY header of {} characters; at most {} are read", length, largest_header));
  }
  Bytes text(length);
  read_all(source, text, path);
  consumed = start.size() + size_bytes + length;
  return HeaderParser({reinterpret_cast<const char*>(text.data()), text.size()}, path).parse();
}

/// Fortran order, the first axis fastest, to row-major.
std::vector<std::byte> row_major(const std::vector<std::byte>& bytes, std::span<const std::size_t> shape,
                                 std::size_t element) {
  std::vector<std::byte> sorted(bytes.size());
  std::vector<std::size_t> index(shape.size(), 0);
  for (std::size_t from = 0; from < bytes.size(); from += element) {
    std::size_t to = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) to = to * shape[axis] + index[axis];
    std::memcpy(sorted.data() + to * element, bytes.data() + from, element);
    for (std::size_t axis = 0; axis < shape.size() && ++index[axis] == shape[axis]; ++axis) index[axis] = 0;
  }
  return sorted;
}

}  // namespace

std::string npy_header(StoredType type, std::span<const std::size_t> shape, std::size_t bytes) {
  if (byte_count(type, shape) != bytes) {
    throw Error(ErrorCode::usage,
                fmt::format("an array of shape [{}] is given {} bytes", fmt::join(shape, ", "), bytes));
  }
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   descr_of(type), fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t before = magic.size() + 4;
  const std::size_t end = (before + header.size() + 1 + alignment - 1) / alignment * alignment;
  header.resize(end - before - 1, ' ');
  header += '\n';
  std::string start(magic);
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, header.size() & 0xFFU, header.size() >> 8U})
    start += static_cast<char>(byte);
  return start + header;
}

void write_npy(const fs::path& path, StoredType type, std::span<const std::size_t> shape,
               std::span<const std::byte> bytes) {
  const std::string header = npy_header(type, shape, bytes.size());
  AtomicFile file(path);
  file.write(header);
  file.write({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  file.commit();
}

namespace {

/// What the elements take; `given` are the bytes behind the header.
std::uint64_t checked_bytes(const NpyHeader& header, StoredType type, std::uint64_t given,
                            const fs::path& path) {
  const std::optional<std::uint64_t> bytes = byte_count(type, header.shape);
  if (bytes && *bytes == given) return given;
  throw data_error(
      path, fmt::format("holds {} bytes of data, which an array of shape [{}] and type {} does not take",
                        given, fmt::join(header.shape, ", "), header.descr));
}

}  // namespace

namespace {

/// How long texts are, in characters of four bytes or in bytes; nothing for what is no text.
struct TextKind {
  bool is_wide = false;
  bool is_big_endian = false;
  std::size_t length = 0;

  std::size_t bytes() const { return is_wide ? 4 * length : length; }
};

std::optional<TextKind> text_kind(const std::string& descr, const fs::path& path) {
  const bool has_order = descr.find_first_of("<>|=") == 0;
  const std::string_view kind = std::string_view(descr).substr(has_order ? 1 : 0);
  if (!kind.starts_with('U') && !kind.starts_with('S')) return std::nullopt;
  TextKind text{.is_wide = kind.front() == 'U', .is_big_endian = descr.front() == '>'};
  const auto [end, error] = std::from_chars(kind.data() + 1, kind.data() + kind.size(), text.length);
  const bool is_believable = text.length > 0 && text.length <= longest_text;
  if (error != std::errc() || end != kind.data() + kind.size() || !is_believable)
    throw data_error(path, fmt::format("holds texts of type '{}'; of 1 to {} characters they are read", descr,
                                       longest_text));
  return text;
}

[[noreturn]] void fail_on_texts(const fs::path& path) {
  throw data_error(path, "holds texts, and numbers are expected here; texts may be labels");
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string text_of(std::span<const std::uint8_t> bytes, const TextKind& kind, std::size_t index,
                    const fs::path& path) {
  std::string text;
  if (!kind.is_wide) text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t at = 0; kind.is_wide && at < bytes.size(); at += 4) {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < 4; ++i)
      code |= std::uint32_t{bytes[at + i]} << 8 * (kind.is_big_endian ? 3 - i : i);
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      throw data_error(path, fmt::format("holds 0x{:x} in text {}, which is no character", code, index));
    append_utf8(text, code);
  }
  text.erase(text.find_last_not_of('\0') + 1);
  for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
    length = utf8_length(text, at);
    if (length == 0)
      throw data_error(path, fmt::format("holds bytes that are not UTF-8 in text {}; save them with "
                                         "numpy.char.decode(…, 'latin-1') or what they are",
                                         index));
  }
  return text;
}

void read_data(ByteSource& source, std::span<std::uint8_t> into, const fs::path& path) {
  if (source.read_all(into) != into.size()) throw data_error(path, "became shorter while it was read");
}

NpyTexts read_texts(ByteSource& source, const NpyHeader& header, const TextKind& kind, std::uint64_t given,
                    const fs::path& path) {
  std::vector<std::size_t> shape = header.shape;
  shape.push_back(kind.bytes());
  Bytes bytes(checked_bytes({header.descr, false, shape}, StoredType::u8, given, path));
  read_data(source, bytes, path);
  NpyTexts texts{.shape = header.shape, .values = {}};
  for (std::size_t at = 0; at < bytes.size(); at += kind.bytes())
    texts.values.push_back(
        text_of(std::span(bytes).subspan(at, kind.bytes()), kind, texts.values.size(), path));
  return texts;
}

}  // namespace

ArrayPieces npy_pieces(const fs::path& path) {
  std::uint64_t size = 0;
  std::unique_ptr<ByteSource> source;
  if (const std::optional<NpzPlace> place = npz_place(path)) {
    source = npz_source(*place, size);
  } else {
    auto file = std::make_unique<FileSource>(path);
    size = file->size();
    source = std::move(file);
  }
  std::uint64_t consumed = 0;
  const NpyHeader header = read_header(*source, consumed, path);
  if (text_kind(header.descr, path)) fail_on_texts(path);
  const ElementOrder order = element_order(header.descr, path);
  return {path,
          std::move(source),
          {.type = order.type,
           .shape = header.shape,
           .bytes = checked_bytes(header, order.type, size - consumed, path),
           .is_row_major = !header.fortran_order || header.shape.size() < 2,
           .is_big_endian = order.big_endian}};
}

NpyContent read_npy_content(ByteSource& source, std::uint64_t size, const fs::path& path) {
  std::uint64_t consumed = 0;
  NpyHeader header = read_header(source, consumed, path);
  if (const std::optional<TextKind> kind = text_kind(header.descr, path))
    return read_texts(source, header, *kind, size - consumed, path);
  NpyArray array;
  const ElementOrder order = element_order(header.descr, path);
  array.type = order.type;
  array.bytes.resize(checked_bytes(header, order.type, size - consumed, path));
  array.shape = std::move(header.shape);
  const std::span<std::uint8_t> into(reinterpret_cast<std::uint8_t*>(array.bytes.data()), array.bytes.size());
  read_data(source, into, path);
  if (order.big_endian) swap_bytes(array.type, into);
  if (header.fortran_order && array.shape.size() > 1) {
    array.bytes = row_major(array.bytes, array.shape, size_of(array.type));
  }
  return array;
}

NpyContent read_npy_content(const fs::path& path) {
  if (const std::optional<NpzPlace> place = npz_place(path)) return read_npz(*place);
  FileSource source(path);
  return read_npy_content(source, source.size(), path);
}

NpyArray numbers_of(NpyContent content, const fs::path& path) {
  if (auto* array = std::get_if<NpyArray>(&content)) return std::move(*array);
  fail_on_texts(path);
}

NpyArray read_npy(const fs::path& path) {
  return numbers_of(read_npy_content(path), path);
}

NpyArray read_npy(ByteSource& source, std::uint64_t size, const fs::path& path) {
  return numbers_of(read_npy_content(source, size, path), path);
}

}  // namespace graphrun::files
