#include "files/csv_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <map>

#include "files/byte_source.hpp"
#include "files/gzip.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_file = std::uint64_t{1} << 30;
constexpr std::size_t most_columns = 100'000;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return text.substr(0, 0);
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// A finite number and nothing else; or a truth value, 1 or 0.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) return value;
  if (is_one_of(text, {"True", "true", "TRUE"})) return Number{1};
  if (is_one_of(text, {"False", "false", "FALSE"})) return Number{0};
  return std::nullopt;
}

/// The same where the comma is free to stand before the fraction: "5,1".
template <class Number>
std::optional<Number> parse_with_comma(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || text.find('.') != std::string_view::npos) return std::nullopt;
  std::string pointed(text);
  pointed[comma] = '.';
  return parse_number<Number>(pointed);
}

/// What parts the fields of a table, told by its first line: semicolons, which leave the comma for numbers as
/// some languages write them, so that a line has no more commas than fields; commas; tabs; or bars.
char separator_of(std::string_view line) {
  std::map<char, std::ptrdiff_t> counts;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted) ++counts[c];
  }
  if (counts[';'] > 0 && counts[','] <= counts[';'] + 1) return ';';
  if (counts[','] > 0) return ',';
  if (counts['\t'] > 0) return '\t';
  return counts['|'] > 0 ? '|' : ',';
}

}  // namespace

std::string csv_text(const fs::path& path) {
  Bytes start(2);
  {
    FileSource file(path);
    start.resize(file.read_all(start));
  }
  if (!looks_like_gzip(start)) return read_text_file(path, largest_file);
  FileSource file(path);
  GzipSource source(file, path);
  std::string text;
  Bytes piece(64 * 1024);
  for (std::size_t got = source.read(piece); got > 0; got = source.read(piece)) {
    text.append(reinterpret_cast<const char*>(piece.data()), got);
    if (text.size() > largest_file)
      throw data_error(path, fmt::format("holds more than {} bytes of text; no more are read", largest_file));
  }
  return text;
}

std::optional<std::size_t> parse_index(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool are_column_numbers(const CsvFields& fields) {
  constexpr std::size_t fewest = 3;  // 0, 1 may well be a row
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i] != std::to_string(i)) return false;
  return fields.size() >= fewest;
}

bool is_missing_cell(std::string_view field) {
  return field.empty() || is_one_of(field, {"NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "nan", "NaN", "NAN",
                                            "-nan", "-NaN", "NaT", "NULL", "null", "?"});
}

namespace {

/// What files begin with that people take for tables, and what to do with them.
struct OtherKind {
  std::string_view start;
  const char* what;
};
constexpr std::array<OtherKind, 14> other_kinds = {{
    {"PAR1", "is a Parquet file, not text; save it as CSV, as with pandas' to_csv()"},
    {"ARROW1", "is an Arrow or Feather file, not text; save it as CSV"},
    {"FEA1", "is an Arrow or Feather file, not text; save it as CSV"},
    {"PK\x03\x04", "is a zip archive or a spreadsheet (.xlsx), not text; unpack it, or save it as CSV"},
    {"\xd0\xcf\x11\xe0", "is a spreadsheet (.xls), not text; save it as CSV"},
    {"BZh", "is packed by bzip2; unpack it, or pack it by gzip"},
    {"\xfd"
     "7zXZ",
     "is packed by xz; unpack it, or pack it by gzip"},
    {"\x28\xb5\x2f\xfd", "is packed by zstd; unpack it, or pack it by gzip"},
    {"\x1f\x8b", "is packed by gzip twice; unpack it once"},
    {"<!", "is a web page, not a table; did a download go wrong?"},
    {"<html", "is a web page, not a table; did a download go wrong?"},
    {"[{", "is JSON, not CSV; save it as CSV, as with pandas' to_csv()"},
    {"{\"", "is JSON, not CSV; save it as CSV, as with pandas' to_csv()"},
    {"version https://git-lfs", "stands for a file that Git LFS keeps elsewhere; fetch it with git lfs pull"},
}};

/// "sep=;", which spreadsheets write in front of a table and read from there: what parts its cells.
std::optional<char> told_separator(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool is_told = line.size() == 5 && line.starts_with("sep=");
  return is_told ? std::optional(line.back()) : std::nullopt;
}

}  // namespace

void require_table_text(std::string_view text, const fs::path& path) {
  for (const OtherKind& kind : other_kinds)
    if (text.starts_with(kind.start)) throw data_error(path, kind.what);
  const bool is_wide = text.size() > 1 && (text[0] == 0) != (text[1] == 0);
  if (is_wide || text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    throw data_error(path, "is text of 16 bits a character (UTF-16); save it as UTF-8");
}

CsvLines::CsvLines(std::string_view text, const fs::path& path) : rest_(text), path_(path) {
  require_table_text(text, path);
  if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
  if (rest_.find('\n') == std::string_view::npos) line_end_ = '\r';  // as on old computers
  skip_blank_lines();
  const std::size_t end = std::min(rest_.find(line_end_), rest_.size());
  if (const std::optional<char> told = told_separator(rest_.substr(0, end))) {
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++next_number_;
    separator_ = *told;
    skip_blank_lines();
  } else {
    separator_ = separator_of(rest_.substr(0, end));
  }
}

/// Cells are copied, each to a place of its own, by which fail() knows it: the caller may have one text for
/// several of them.
CsvLines::CsvLines(std::span<const std::string_view> cells, const fs::path& path, int number)
    : path_(path), number_(number) {
  std::size_t size = 0;
  for (const std::string_view cell : cells) size += cell.size() + 1;
  std::string& copies = without_pairs_.emplace_back();
  copies.reserve(size);
  fields_.reserve(cells.size());
  for (const std::string_view cell : cells) {
    const std::size_t begin = copies.size();
    copies.append(cell).push_back('\0');
    fields_.push_back(trimmed(std::string_view(copies).substr(begin, cell.size())));
  }
}

void CsvLines::skip_blank_lines() {
  const std::string_view blank = separator_ == '\t' ? std::string_view(" \r") : std::string_view(" \t\r");
  std::size_t at = 0;
  int lines = 0;
  while (at < rest_.size()) {
    const std::size_t end = std::min(rest_.find(line_end_, at), rest_.size());
    if (rest_.substr(at, end - at).find_first_not_of(blank) != std::string_view::npos) break;
    at = std::min(end + 1, rest_.size());
    ++lines;
  }
  const bool are_cells = !is_first_ && fields_.size() == 1 && at < rest_.size();
  if (are_cells) return;
  rest_.remove_prefix(at);
  next_number_ += lines;
}

const CsvFields& CsvLines::next() {
  number_ = next_number_;
  const std::size_t before = fields_.size();
  take_record();
  next_number_ += lines_;
  require_one_line();
  split();
  drop_trailing_field();
  if (is_first_) begins_with_comment_ = record_.starts_with('#');
  if (!is_first_ && fields_.size() != before)
    fail(
        fmt::format("this line has {} field{}, the first has {}{}{}", fields_.size(),
                    fields_.size() == 1 ? "" : "s", before, is_trailed_ ? " and a separator behind them" : "",
                    begins_with_comment_ || record_.starts_with('#')
                        ? fmt::format("; a line that begins with # is a row like others: take {} away",
                                      begins_with_comment_ ? "the first" : "it")
                        : std::string()),
        record_);
  is_first_ = false;
  skip_blank_lines();
  return fields_;
}

std::optional<float> CsvLines::number(std::string_view field) const {
  const std::optional<float> value = parse_number<float>(field);
  return value || separator_ == ',' ? value : parse_with_comma<float>(field);
}

std::optional<double> CsvLines::real(std::string_view field) const {
  const std::optional<double> value = parse_number<double>(field);
  return value || separator_ == ',' ? value : parse_with_comma<double>(field);
}

bool CsvLines::is_header(const CsvFields& fields) const {
  return std::none_of(fields.begin(), fields.end(),
                      [&](std::string_view field) { return field.empty() || number(field); });
}

void CsvLines::fail(const std::string& message, std::string_view at) const {
  const auto inside = std::find_if(without_pairs_.begin(), without_pairs_.end(),
                                   [&](const std::string& text) { return text.data() == at.data(); });
  std::size_t column = static_cast<std::size_t>(at.data() - record_.data());
  const bool are_cells = record_.data() == nullptr;
  if (inside != without_pairs_.end() || are_cells) {
    const auto field = std::find_if(fields_.begin(), fields_.end(),
                                    [&](std::string_view one) { return one.data() == at.data(); });
    const auto place = static_cast<std::size_t>(field - fields_.begin());
    column = are_cells ? place : starts_[place];
  }
  throw Error(ErrorCode::data, message, {path_.string(), number_, static_cast<int>(column) + 1});
}

/// To the next line end that stands between no quotes.
void CsvLines::take_record() {
  lines_ = 1;
  bool quoted = false;
  std::size_t end = 0;
  for (std::size_t from = 0;; from = end + 1) {
    end = std::min(rest_.find(line_end_, from), rest_.size());
    if (std::count(rest_.begin() + static_cast<std::ptrdiff_t>(from),
                   rest_.begin() + static_cast<std::ptrdiff_t>(end), '"') %
            2 !=
        0)
      quoted = !quoted;
    if (!quoted || end == rest_.size()) break;
    ++lines_;
  }
  record_ = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  if (record_.ends_with('\r')) record_.remove_suffix(1);
}

/// Some programs write a separator behind each field, the last one too.
void CsvLines::drop_trailing_field() {
  if (is_first_) is_trailed_ = fields_.size() > 1 && fields_.back().empty();
  if (is_trailed_ && fields_.back().empty()) fields_.pop_back();
}

/// A line end of old computers among others would join two rows.
void CsvLines::require_one_line() const {
  if (record_.find('\r') == std::string_view::npos) return;
  bool quoted = false;
  for (std::size_t i = 0; i < record_.size(); ++i) {
    if (record_[i] == '"') quoted = !quoted;
    if (record_[i] == '\r' && !quoted)
      fail("a carriage return stands alone here, and other lines end with a line feed: end all in one way",
           record_.substr(i));
  }
}

void CsvLines::split() {
  fields_.clear();
  starts_.clear();
  without_pairs_.clear();
  for (std::size_t begin = 0; begin <= record_.size();) {
    const std::size_t end = end_of_field(begin);
    const std::string_view field = trimmed(record_.substr(begin, end - begin));
    starts_.push_back(static_cast<std::size_t>(field.data() - record_.data()));
    fields_.push_back(unquoted(field));
    if (fields_.size() > most_columns)
      fail(fmt::format("more than {} columns", most_columns), record_.substr(begin));
    begin = end + 1;
  }
}

/// The separator behind a field, or the end of the record; between quotes it parts nothing.
std::size_t CsvLines::end_of_field(std::size_t begin) const {
  const std::size_t first = record_.find_first_not_of(" \t", begin);
  if (first == std::string_view::npos || record_[first] != '"')
    return std::min(record_.find(separator_, begin), record_.size());
  std::size_t closing = record_.find('"', first + 1);
  while (closing != std::string_view::npos && record_.substr(closing, 2) == "\"\"")
    closing = record_.find('"', closing + 2);
  if (closing == std::string_view::npos) fail("a quote is not closed", record_.substr(first));
  return std::min(record_.find(separator_, closing), record_.size());
}

std::string_view CsvLines::unquoted(std::string_view field) {
  const std::size_t quote = field.find('"');
  if (quote == std::string_view::npos) return field;
  if (field.size() < 2 || quote != 0 || field.back() != '"')
    fail("a quote in the middle of a field; quotes stand around a whole field", field.substr(quote));
  const std::string_view inner = field.substr(1, field.size() - 2);
  if (inner.find('"') == std::string_view::npos) return inner;
  std::string text;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    text += inner[i];
    if (inner[i] != '"') continue;
    if (inner.substr(i, 2) != "\"\"")
      fail("a quote in the middle of a field; quotes stand around a whole field", inner.substr(i));
    ++i;
  }
  return without_pairs_.emplace_back(std::move(text));
}

}  // namespace graphrun::files
