#include "files/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "errors/nearest.hpp"
#include "files/file.hpp"
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

/// A finite number and nothing else.
std::optional<float> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::size_t> parse_index(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

using Fields = std::vector<std::string_view>;

/// Goes through the lines of a text and cuts them into fields, which are parts of the text.
class Lines {
 public:
  Lines(std::string_view text, const fs::path& path) : rest_(text), path_(path) {
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    while (!rest_.empty() && (rest_.back() == '\n' || rest_.back() == '\r')) rest_.remove_suffix(1);
  }

  bool is_at_end() const { return rest_.empty(); }
  int number() const { return number_; }  ///< of the line read last, from 1
  const fs::path& path() const { return path_; }
  std::string_view rest() const { return rest_; }

  /// The next line must have as many fields as the one before.
  const Fields& next() {
    ++number_;
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    const std::size_t before = fields_.size();
    split();
    if (number_ > 1 && fields_.size() != before)
      fail(fmt::format("this line has {} fields, the first has {}", fields_.size(), before), line_);
    return fields_;
  }

  /// Error at a part of the line read last.
  [[noreturn]] void fail(const std::string& message, std::string_view at) const {
    const auto column = static_cast<int>(at.data() - line_.data()) + 1;
    throw Error(ErrorCode::data, message, {path_.string(), number_, column});
  }

 private:
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

  /// The comma behind a field, or the end of the line; commas between quotes part nothing.
  std::size_t end_of_field(std::size_t begin) const {
    const std::size_t first = line_.find_first_not_of(" \t", begin);
    if (first == std::string_view::npos || line_[first] != '"')
      return std::min(line_.find(',', begin), line_.size());
    const std::size_t closing = line_.find('"', first + 1);
    if (closing == std::string_view::npos) fail("a quote is not closed in this line", line_.substr(first));
    const std::size_t end = std::min(line_.find(',', closing), line_.size());
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
  int number_ = 0;
  Fields fields_;
};

/// A header has no number in it; a line with some is a row with a mistake.
bool is_header(const Fields& fields) {
  return std::none_of(fields.begin(), fields.end(),
                      [](std::string_view field) { return field.empty() || parse_number(field); });
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
    if (is_header(first)) table_.names.assign(first.begin(), first.end());
    find_text_column(first.size());
    table_.columns = first.size() - (text_ ? 1 : 0);
    reserve();
    if (table_.names.empty()) add_row(first);
    while (!lines_.is_at_end()) add_row(lines_.next());
    if (table_.rows == 0) no_rows();
    if (text_ && !table_.names.empty())
      table_.names.erase(table_.names.begin() + static_cast<std::ptrdiff_t>(*text_));
    return std::move(table_);
  }

 private:
  [[noreturn]] void no_rows() const { throw data_error(lines_.path(), "holds no rows of numbers"); }

  void find_text_column(std::size_t count) {
    if (!wanted_) return;
    text_ = place_of(wanted_->name, table_.names, count);
    if (!text_ && wanted_->required) no_column(lines_.path(), wanted_->name, table_.names, count);
  }

  /// Growing step by step would take twice the memory at the end.
  void reserve() {
    const auto lines =
        static_cast<std::size_t>(std::count(lines_.rest().begin(), lines_.rest().end(), '\n')) + 2;
    const std::size_t most_lines = most_values_ / std::max<std::size_t>(table_.columns, 1) + 1;
    table_.values.reserve(std::min(lines, most_lines) * table_.columns);
  }

  void add_row(const Fields& fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (text_ == i)
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
    const std::optional<float> value = parse_number(field);
    if (!value)
      lines_.fail(fmt::format("'{}' is no finite number{}", field.substr(0, 40), hint(field)), field);
    table_.values.push_back(*value);
  }

  std::string hint(std::string_view field) const {
    if (field.find_first_of(";\t") != std::string_view::npos) return "; fields are separated by commas here";
    if (field.empty() && lines_.number() == 1) return "; if this line is a header, every column needs a name";
    if (field.empty() || field == "NA" || field == "nan" || field == "NaN")
      return "; rows with missing values have to be left out or filled in";
    const bool is_digits = !field.empty() && field.find_first_not_of("0123456789.") == std::string_view::npos;
    if (is_digits) return "; it is beyond what f32 holds";
    const bool is_word = !field.empty() && std::isalpha(static_cast<unsigned char>(field.front())) != 0;
    if (is_word && field != "inf" && !text_ && !table_.names.empty())
      return "; a column of labels is called `label`, or named by `labels: {column: NAME}` or --label-column";
    return {};
  }

  Lines lines_;
  const std::optional<TextColumn>& wanted_;
  std::size_t most_values_;  ///< that a text of its size can hold
  std::optional<std::size_t> text_;
  CsvTable table_;
};

}  // namespace

void write_csv(const fs::path& path, std::span<const std::string> names, std::size_t columns,
               std::span<const float> values) {
  const bool names_fit = names.empty() || names.size() == columns;
  if (columns == 0 || !names_fit || values.size() % columns != 0) {
    throw Error(ErrorCode::usage, fmt::format("{} names and {} values do not fit a table of {} columns",
                                              names.size(), values.size(), columns));
  }
  std::string text;
  for (const std::string& name : names) text += name + ",";
  if (!text.empty()) text.back() = '\n';
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += number_text(values[i]);
    text += (i + 1) % columns == 0 ? '\n' : ',';
  }
  write_text_file(path, text);
}

CsvTable read_csv(const fs::path& path, const std::optional<TextColumn>& text) {
  const std::string content = read_text_file(path, largest_file);
  return TableReader(content, path, text).read();
}

std::vector<std::string> read_csv_column(const fs::path& path, const std::string& column) {
  const std::string content = read_text_file(path, largest_file);
  Lines lines(content, path);
  if (lines.is_at_end()) throw data_error(path, "holds no labels");
  const Fields& first = lines.next();
  const std::size_t count = first.size();
  const std::vector<std::string> names(first.begin(), first.end());
  const std::string wanted = column.empty() ? label_column : column;
  const bool is_named = std::find(names.begin(), names.end(), wanted) != names.end();
  std::optional<std::size_t> place = place_of(wanted, names, count);
  if (!place && column.empty() && count == 1) place = 0;
  if (!place) no_column(path, wanted, is_header(first) ? names : std::vector<std::string>{}, count);
  std::vector<std::string> texts;
  const auto add = [&](const Fields& fields) {
    if (fields[*place].empty()) lines.fail("a label is missing here", fields[*place]);
    texts.emplace_back(fields[*place]);
  };
  add(first);
  while (!lines.is_at_end()) add(lines.next());
  const bool others_are_numbers =
      std::all_of(texts.begin() + 1, texts.end(), [](const std::string& text) { return parse_number(text); });
  if (is_named || (!parse_number(texts.front()) && others_are_numbers)) texts.erase(texts.begin());
  if (texts.empty()) throw data_error(path, "holds no labels");
  return texts;
}

}  // namespace graphrun::files
