#include "files/csv_pieces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "errors/printable.hpp"
#include "files/byte_source.hpp"
#include "files/file.hpp"
#include "files/gzip.hpp"

namespace graphrun::files {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = std::size_t{1} << 20;
/// A line that is longer is none: most often a quote that is never closed.
constexpr std::size_t longest_record = std::size_t{256} << 20;

/// How much of a text is whole records, without the blank lines behind them: up to the last line end between
/// no quotes. 0: none.
std::size_t whole_records(std::string_view text) {
  const char line_end = text.find('\n') == std::string_view::npos ? '\r' : '\n';
  bool quoted = std::count(text.begin(), text.end(), '"') % 2 != 0;
  std::size_t end = 0;
  for (std::size_t at = text.size(); at-- > 0;) {
    const char c = text[at];
    if (c == '"') quoted = !quoted;
    if (c == line_end && !quoted) end = at + 1;
    const bool is_blank = c == '\n' || c == '\r' || c == ' ' || c == '\t';
    if (end > 0 && !is_blank) return end;
    if (!is_blank) end = 0;
  }
  return 0;
}

/// ASCII without a byte 0, eight at a time.
std::size_t plain_bytes(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::copy_n(text.data() + at, 8, reinterpret_cast<char*>(&word));
    constexpr std::uint64_t ones = 0x0101010101010101;
    const bool has_zero = ((word - ones) & ~word & (ones << 7U)) != 0;
    if (has_zero || (word & (ones << 7U)) != 0) return at;
  }
  return at;
}

}  // namespace

struct CsvPieces::Source {
  explicit Source(const fs::path& path) : file(path) {
    std::array<std::uint8_t, 2> start{};
    FileSource beginning(path);
    if (beginning.read_all(start) == 2 && looks_like_gzip(start)) packed.emplace(file, path);
  }
  std::size_t read(std::span<std::uint8_t> into) {
    return packed ? packed->read_all(into) : file.read_all(into);
  }

  FileSource file;
  std::optional<GzipSource> packed;
  bool is_at_end = false;
};

CsvPieces::CsvPieces(const fs::path& path) : path_(path), source_(std::make_unique<Source>(path)) {
  read();
}

CsvPieces::CsvPieces(std::string_view text, const fs::path& path) : path_(path), text_(text) {
  require_text();
}

CsvPieces::~CsvPieces() = default;

bool CsvPieces::is_last() const {
  return !source_ || source_->is_at_end;
}

bool CsvPieces::next(CsvLines& lines) {
  if (!source_) return false;
  lines_before_ += static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n'));
  buffer_.erase(0, text_.size());
  read();
  lines.append(text_);
  return !text_.empty();
}

/// What is left of the last piece, and as much as it takes to have a whole record.
void CsvPieces::read() {
  std::size_t whole = 0;
  while (whole == 0 && !source_->is_at_end) {
    const std::size_t had = buffer_.size();
    if (had >= longest_record)
      throw Error(ErrorCode::data,
                  fmt::format("a row that begins here is longer than {} MiB: is a quote not closed?",
                              longest_record >> 20U),
                  {path_.string(), static_cast<int>(lines_before_) + 1, 1});
    // What is there is looked through again each time: so it doubles.
    const std::size_t more = std::min(std::max(piece_bytes, had), longest_record - had);
    buffer_.resize(had + more);
    const std::size_t got = source_->read({reinterpret_cast<std::uint8_t*>(buffer_.data()) + had, more});
    buffer_.resize(had + got);
    source_->is_at_end = got < more;
    if (!source_->is_at_end) whole = whole_records(buffer_);
  }
  text_ = std::string_view(buffer_).substr(0, source_->is_at_end ? buffer_.size() : whole);
  require_text();
}

/// Names and categories are compared byte by byte: they have to be in one encoding.
void CsvPieces::require_text() const {
  if (lines_before_ == 0) require_table_text(text_, path_);
  for (std::size_t at = plain_bytes(text_); at < text_.size();) {
    const auto byte = static_cast<unsigned char>(text_[at]);
    const std::size_t length = byte < 0x80 ? 1 : utf8_length(text_, at);
    const bool is_text = length > 0 && byte != 0;
    at += length;
    if (is_text) {
      at += plain_bytes(text_.substr(at));
      continue;
    }
    const std::string_view before = text_.substr(0, at);
    const auto line =
        lines_before_ + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    const std::size_t start = before.find_last_of('\n') == before.npos ? 0 : before.find_last_of('\n') + 1;
    throw Error(ErrorCode::data,
                byte == 0
                    ? "holds a byte 0, so it is no text"
                    : fmt::format("the byte {:#04x} is not UTF-8: the file is in another encoding, most "
                                  "often Windows-1252 or Latin-1; save it as UTF-8, as with iconv -f "
                                  "WINDOWS-1252 -t UTF-8",
                                  byte),
                {path_.string(), static_cast<int>(line), static_cast<int>(at - start) + 1});
  }
}

}  // namespace graphrun::files
