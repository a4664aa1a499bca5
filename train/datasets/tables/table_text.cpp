#include "train/datasets/tables/table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "errors/printable.hpp"
#include "files/byte_source.hpp"
#include "files/file.hpp"
#include "files/gzip.hpp"

namespace graphrun::train {

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

struct TableText::Pieces::Source {
  explicit Source(const fs::path& path) : file(path) {
    std::array<std::uint8_t, 2> start{};
    files::FileSource beginning(path);
    if (beginning.read_all(start) == 2 && files::looks_like_gzip(start)) packed.emplace(file, path);
  }
  std::size_t read(std::span<std::uint8_t> into) {
    return packed ? packed->read_all(into) : file.read_all(into);
  }

  files::FileSource file;
  std::optional<files::GzipSource> packed;
  bool is_at_end = false;
};

TableText::Pieces::Pieces(const TableText& table) : table_(table) {
  if (table.text_) {
    text_ = *table.text_;
    require_text();
    return;
  }
  if (table.version_ && table.version() != *table.version_) table.fail_changed();
  source_ = std::make_unique<Source>(table.path_);
  read();
}

TableText::Pieces::~Pieces() = default;

bool TableText::Pieces::is_last() const {
  return !source_ || source_->is_at_end;
}

bool TableText::Pieces::next(files::CsvLines& lines) {
  if (!source_) return false;
  lines_before_ += static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n'));
  buffer_.erase(0, text_.size());
  read();
  lines.append(text_);
  return !text_.empty();
}

/// What is left of the last piece, and as much as it takes to have a whole record.
void TableText::Pieces::read() {
  std::size_t whole = 0;
  while (whole == 0 && !source_->is_at_end) {
    const std::size_t had = buffer_.size();
    if (had > longest_record)
      throw Error(ErrorCode::data,
                  fmt::format("a row that begins here is longer than {} MiB: is a quote not closed?",
                              longest_record >> 20U),
                  {table_.path_.string(), static_cast<int>(lines_before_) + 1, 1});
    buffer_.resize(had + piece_bytes);
    const std::size_t got =
        source_->read({reinterpret_cast<std::uint8_t*>(buffer_.data()) + had, piece_bytes});
    buffer_.resize(had + got);
    source_->is_at_end = got < piece_bytes;
    if (!source_->is_at_end) whole = whole_records(buffer_);
  }
  text_ = std::string_view(buffer_).substr(0, source_->is_at_end ? buffer_.size() : whole);
  require_text();
}

/// Names and categories are compared byte by byte: they have to be in one encoding.
void TableText::Pieces::require_text() const {
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
                {table_.path_.string(), static_cast<int>(line), static_cast<int>(at - start) + 1});
  }
}

TableText::TableText(fs::path path) : path_(std::move(path)) {
  version_ = version();
  read_header();
}

TableText::TableText(std::string text, fs::path path) : path_(std::move(path)), text_(std::move(text)) {
  read_header();
}

/// Nothing is known of a file that is not there: reading it says so.
TableText::Version TableText::version() const {
  std::error_code ignored;
  return {fs::file_size(path_, ignored), fs::last_write_time(path_, ignored)};
}

void TableText::fail_changed() const {
  throw files::data_error(path_, "has changed while it was read");
}

void TableText::read_header() {
  const Pieces pieces(*this);
  files::CsvLines lines(pieces.text(), path_);
  if (lines.is_at_end()) throw files::data_error(path_, "holds no rows");
  const files::CsvFields& first = lines.next();
  const bool is_unnamed = first.size() > 1 && first.front().empty();
  const files::CsvFields named(first.begin() + (is_unnamed ? 1 : 0), first.end());
  const bool are_numbers = files::are_column_numbers(named);
  has_header_ = lines.is_header(named) || are_numbers;
  if (are_numbers && !is_unnamed)
    note_ = "the first line, 0, 1, 2, …, is taken for the names of columns, not for a row";
  for (std::size_t i = 0; i < first.size(); ++i)
    names_.push_back(has_header_ ? std::string(first[i]) : std::to_string(i));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (!seen.insert(names_[i]).second)
      lines.fail(fmt::format("two columns are called '{}': each needs a name of its own", names_[i]),
                 first[i]);
  if (has_header_ && lines.is_at_end() && pieces.is_last())
    throw files::data_error(path_, "holds no rows, only the names of columns");
}

}  // namespace graphrun::train
