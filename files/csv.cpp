#include "files/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

#include "errors/nearest.hpp"
#include "files/byte_source.hpp"
#include "files/gzip.hpp"
#include "files/number_text.hpp"

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
std::optional<float> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) return value;
  if (is_one_of(text, {"True", "true", "TRUE"})) return 1.0F;
  if (is_one_of(text, {"False", "false", "FALSE"})) return 0.0F;
  return std::nullopt;
}

/// The same where the comma is free to stand before the fraction: "5,1".
std::optional<float> parse_with_comma(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || text.find('.') != std::string_view::npos) return std::nullopt;
  std::string pointed(text);
  pointed[comma] = '.';
  return parse_number(pointed);
}

std::optional<std::size_t> parse_index(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

using Fields = std::vector<std::string_view>;

/// What parts the fields of a table, told by its first line: semicolons, which leave the comma for numbers as
/// some languages write them, so that a line has no more commas than fields; tabs; or else commas.
char separator_of(std::string_view line) {
  std::map<char, std::ptrdiff_t> counts;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted) ++counts[c];
  }
  if (counts[';'] > 0 && counts[','] <= counts[';'] + 1) return ';';
  return counts['\t'] > 0 && counts[','] == 0 ? '\t' : ',';
}

std::string name_of_separator(char separator) {
  return separator == '\t' ? "a tab" : fmt::format("'{}'", separator);
}

/// Goes through the lines of a text and cuts them into fields, which are parts of the text.
class Lines {
 public:
  Lines(std::string_view text, const fs::path& path) : rest_(text), path_(path) {
    if (rest_.starts_with("\xff\xfe") || rest_.starts_with("\xfe\xff"))
      throw data_error(path, "is text of 16 bits a character (UTF-16); save it as UTF-8");
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    while (!rest_.empty() && (rest_.back() == '\n' || rest_.back() == '\r')) rest_.remove_suffix(1);
    if (rest_.find('\n') == std::string_view::npos) line_end_ = '\r';  // as on old computers
    separator_ = separator_of(rest_.substr(0, rest_.find(line_end_)));
  }

  bool is_at_end() const { return rest_.empty(); }
  int number() const { return number_; }  ///< of the line read last, from 1
  const fs::path& path() const { return path_; }
  std::string_view rest() const { return rest_; }
  char line_end() const { return line_end_; }
  char separator() const { return separator_; }

  /// The next line must have as many fields as the one before.
  const Fields& next() {
    ++number_;
    const std::size_t end = rest_.find(line_end_);
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    const std::size_t before = fields_.size();
    split();
    drop_trailing_field();
    if (number_ > 1 && fields_.size() != before)
      fail(fmt::format("this line has {} fields, the first has {}{}", fields_.size(), before,
                       is_trailed_ ? " and a separator behind them" : ""),
           line_);
    return fields_;
  }

  /// A number as this file writes them.
  std::optional<float> number(std::string_view field) const {
    const std::optional<float> value = parse_number(field);
    return value || separator_ == ',' ? value : parse_with_comma(field);
  }

  /// A header has no number in it; a line with some is a row with a mistake.
  bool is_header(const Fields& fields) const {
    return std::none_of(fields.begin(), fields.end(),
                        [&](std::string_view field) { return field.empty() || number(field); });
  }

  /// Error at a part of the line read last.
  [[noreturn]] void fail(const std::string& message, std::string_view at) const {
    const auto column = static_cast<int>(at.data() - line_.data()) + 1;
    throw Error(ErrorCode::data, message, {path_.string(), number_, column});
  }

 private:
  /// Some programs write a separator behind each field, the last one too.
  void drop_trailing_field() {
    if (number_ == 1) is_trailed_ = fields_.size() > 1 && fields_.back().empty();
    if (is_trailed_ && fields_.back().empty()) fields_.pop_back();
  }

  void split() {
    fields_.clear();
    for (std::size_t begin = 0; begin <= line_.size();) {
      const std::size_t end = end_of_field(begin);
      fields_.push_back(unquoted(trimmed(line_.substr(begin, end - begin))));
      if (fields_.size() > most_columns)
        fail(fmt::format("more than {} columns", most_columns), line_.substr(begin));
      begin = end + 1;
    }
  }

  /// The separator behind a field, or the end of the line; between quotes it parts nothing.
  std::size_t end_of_field(std::size_t begin) const {
    const std::size_t first = line_.find_first_not_of(" \t", begin);
    if (first == std::string_view::npos || line_[first] != '"')
      return std::min(line_.find(separator_, begin), line_.size());
    const std::size_t closing = line_.find('"', first + 1);
    if (closing == std::string_view::npos) fail("a quote is not closed in this line", line_.substr(first));
    const std::size_t end = std::min(line_.find(separator_, closing), line_.size());
    if (line_.substr(closing, 2) == "\"\"") fail("quotes within quotes are not read", line_.substr(closing));
    return end;
  }

  std::string_view unquoted(std::string_view field) const {
    const std::size_t quote = field.find('"');
    if (quote == std::string_view::npos) return field;
    if (field.size() < 2 || quote != 0 || field.find('"', 1) != field.size() - 1)
      fail("a quote in the middle of a field; quotes stand around a whole field", field.substr(quote));
    return field.substr(1, field.size() - 2);
  }

  std::string_view rest_;
  std::string_view line_;
  const fs::path& path_;
  char line_end_ = '\n';
  char separator_ = ',';
  bool is_trailed_ = false;
  int number_ = 0;
  Fields fields_;
};

/// 0, 1, 2, …: what columns without names are called by programs that write a header all the same.
bool are_column_numbers(const Fields& fields) {
  constexpr std::size_t fewest = 3;  // 0, 1 may well be a row
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i] != std::to_string(i)) return false;
  return fields.size() >= fewest;
}

/// The text of a table, also of one that is compressed.
std::string text_of(const fs::path& path) {
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

/// The place of a column by its name in the header, or by its number.
std::optional<std::size_t> place_of(const std::string& column, const std::vector<std::string>& names,
                                    std::size_t count) {
  if (const auto named = std::find(names.begin(), names.end(), column); named != names.end())
    return static_cast<std::size_t>(named - names.begin());
  const std::optional<std::size_t> index = parse_index(column);
  return index && *index < count ? index : std::nullopt;
}

[[noreturn]] void no_column(const fs::path& path, const std::string& column,
                            const std::vector<std::string>& names, std::size_t count) {
  if (names.empty())
    throw data_error(path, fmt::format("has no header line with a column '{}'; columns may also be given by "
                                       "number, 0 to {}",
                                       column, count - 1));
  throw data_error(path, fmt::format("has no column '{}'. {}", column, suggestion(column, names)));
}

/// Reads a table of numbers, and one column of texts.
class TableReader {
 public:
  TableReader(std::string_view text, const fs::path& path, const std::optional<TextColumn>& wanted)
      : lines_(text, path), wanted_(wanted), most_values_(text.size() / 2 + 1) {}

  CsvTable read() {
    if (lines_.is_at_end()) no_rows();
    const Fields& first = lines_.next();
    find_header(first);
    find_text_column(first.size());
    table_.columns = first.size() - (text_ ? 1 : 0) - (has_row_numbers_ ? 1 : 0);
    reserve();
    if (table_.names.empty()) add_row(first);
    while (!lines_.is_at_end()) add_row(lines_.next());
    if (table_.rows == 0) no_rows();
    if (text_ && !table_.names.empty())
      table_.names.erase(table_.names.begin() + static_cast<std::ptrdiff_t>(*text_));
    if (has_row_numbers_) table_.names.erase(table_.names.begin());
    return std::move(table_);
  }

 private:
  /// Its first name may be missing: the column of row numbers that pandas and R write has none.
  void find_header(const Fields& first) {
    const bool is_unnamed = first.size() > 1 && first.front().empty();
    const Fields named(first.begin() + (is_unnamed ? 1 : 0), first.end());
    const bool are_numbers = are_column_numbers(named);
    if (!lines_.is_header(named) && !are_numbers) return;
    table_.names.assign(first.begin(), first.end());
    has_row_numbers_ = is_unnamed;
    if (are_numbers && !is_unnamed)
      table_.note = "the first line, 0, 1, 2, …, is taken for the names of columns, not for a row";
  }

  /// Numbers that go up by one, from wherever they begin.
  void check_row_number(std::string_view field) {
    const std::optional<std::size_t> number = parse_index(field);
    const bool follows = number && (table_.rows == 0 || *number == row_number_ + 1);
    if (!follows)
      lines_.fail("the first column has no name, and does not number the rows: give it a name", field);
    row_number_ = *number;
  }

  [[noreturn]] void no_rows() const { throw data_error(lines_.path(), "holds no rows of numbers"); }

  void find_text_column(std::size_t count) {
    if (!wanted_) return;
    text_ = place_of(wanted_->name, table_.names, count);
    if (!text_ && wanted_->required) no_column(lines_.path(), wanted_->name, table_.names, count);
  }

  /// Growing step by step would take twice the memory at the end.
  void reserve() {
    const auto lines =
        static_cast<std::size_t>(std::count(lines_.rest().begin(), lines_.rest().end(), lines_.line_end())) +
        2;
    const std::size_t most_lines = most_values_ / std::max<std::size_t>(table_.columns, 1) + 1;
    table_.values.reserve(std::min(lines, most_lines) * table_.columns);
  }

  void add_row(const Fields& fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i == 0 && has_row_numbers_)
        check_row_number(fields[i]);
      else if (text_ == i)
        add_text(fields[i]);
      else
        add_number(fields[i]);
    }
    ++table_.rows;
  }

  void add_text(std::string_view field) {
    if (field.empty()) lines_.fail(fmt::format("the column '{}' is empty here", wanted_->name), field);
    table_.texts.emplace_back(field);
  }

  void add_number(std::string_view field) {
    const std::optional<float> value = lines_.number(field);
    if (!value)
      lines_.fail(fmt::format("'{}' is no finite number{}", field.substr(0, 40), hint(field)), field);
    table_.values.push_back(*value);
  }

  std::string hint(std::string_view field) const {
    if (field.find_first_of(";\t") != std::string_view::npos)
      return fmt::format("; fields are separated by {} here, as in the first line",
                         name_of_separator(lines_.separator()));
    const bool is_word = !field.empty() && std::isalpha(static_cast<unsigned char>(field.front())) != 0;
    if (lines_.number() == 1 && (field.empty() || is_word) && !is_missing(field))
      return "; if this line is a header, every column needs a name that is no number";
    if (field.empty() || is_missing(field))
      return "; rows with missing values have to be left out or filled in";
    if (is_grouped(field)) return "; write it without the comma, or with a point before the fraction";
    if (is_date(field))
      return "; it looks like a date: write it as a number, such as days since the first one, or leave the "
             "column out";
    const bool is_digits = !field.empty() && field.find_first_not_of("0123456789.") == std::string_view::npos;
    if (is_digits) return "; it is beyond what f32 holds";
    if (is_word && field != "inf" && !text_ && !table_.names.empty())
      return "; a column of labels is called `label`, or named by `labels: {column: NAME}` or --label-column";
    return {};
  }

  static bool is_missing(std::string_view field) { return is_one_of(field, {"NA", "nan", "NaN"}); }

  /// "1,234" between quotes: a thousand and more, or one and a fraction?
  static bool is_grouped(std::string_view field) {
    return field.find(',') != std::string_view::npos &&
           field.find_first_not_of("+-0123456789,.") == std::string_view::npos;
  }

  /// "2020-01-31", "31.1.2020", "1/31/20 12:00".
  static bool is_date(std::string_view field) {
    const auto parts = std::count_if(field.begin(), field.end(),
                                     [](char c) { return c == '-' || c == '/' || c == '.' || c == ':'; });
    return parts >= 2 && std::isdigit(static_cast<unsigned char>(field.front())) != 0 &&
           field.find_first_not_of("0123456789-/.: TZ+") == std::string_view::npos;
  }

  Lines lines_;
  const std::optional<TextColumn>& wanted_;
  std::size_t most_values_;  ///< that a text of its size can hold
  std::optional<std::size_t> text_;
  bool has_row_numbers_ = false;
  std::size_t row_number_ = 0;
  CsvTable table_;
};

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c == '\r' || c == '\n' ? ' ' : c;
  }
  return quoted + "\"";
}

}  // namespace

std::string csv_line(std::span<const std::string> fields) {
  std::string line;
  for (const std::string& field : fields) line += csv_field(field) + ",";
  if (!line.empty()) line.back() = '\n';
  return line;
}

void write_csv(const fs::path& path, std::span<const std::string> names, std::size_t columns,
               std::span<const float> values) {
  const bool names_fit = names.empty() || names.size() == columns;
  if (columns == 0 || !names_fit || values.size() % columns != 0) {
    throw Error(ErrorCode::usage, fmt::format("{} names and {} values do not fit a table of {} columns",
                                              names.size(), values.size(), columns));
  }
  std::string text = csv_line(names);
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += number_text(values[i]);
    text += (i + 1) % columns == 0 ? '\n' : ',';
  }
  write_text_file(path, text);
}

CsvTable read_csv(const fs::path& path, const std::optional<TextColumn>& text) {
  const std::string content = text_of(path);
  return TableReader(content, path, text).read();
}

std::vector<std::string> read_csv_column(const fs::path& path, const std::string& column) {
  const std::string content = text_of(path);
  Lines lines(content, path);
  if (lines.is_at_end()) throw data_error(path, "holds no labels");
  const Fields& first = lines.next();
  const std::size_t count = first.size();
  const std::vector<std::string> names(first.begin(), first.end());
  const std::string wanted = column.empty() ? label_column : column;
  const bool is_named = std::find(names.begin(), names.end(), wanted) != names.end();
  std::optional<std::size_t> place = place_of(wanted, names, count);
  if (!place && column.empty() && count == 1) place = 0;
  if (!place) no_column(path, wanted, lines.is_header(first) ? names : std::vector<std::string>{}, count);
  std::vector<std::string> texts;
  const auto add = [&](const Fields& fields) {
    if (fields[*place].empty()) lines.fail("a label is missing here", fields[*place]);
    texts.emplace_back(fields[*place]);
  };
  add(first);
  while (!lines.is_at_end()) add(lines.next());
  const bool others_are_numbers = std::all_of(texts.begin() + 1, texts.end(),
                                              [&](const std::string& text) { return lines.number(text); });
  if (is_named || (!lines.number(texts.front()) && others_are_numbers)) texts.erase(texts.begin());
  if (texts.empty()) throw data_error(path, "holds no labels");
  return texts;
}

}  // namespace graphrun::files
