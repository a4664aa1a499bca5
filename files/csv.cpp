#include "files/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "errors/nearest.hpp"
#include "files/csv_lines.hpp"
#include "files/csv_pieces.hpp"
#include "files/file.hpp"
#include "files/number_text.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

using Fields = CsvFields;

std::string name_of_separator(char separator) {
  return separator == '\t' ? "a tab" : fmt::format("'{}'", separator);
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
  TableReader(CsvPieces& pieces, const fs::path& path, const std::optional<TextColumn>& wanted)
      : pieces_(pieces), lines_(pieces.text(), path), wanted_(wanted) {}

  /// The numbers of each row go to `take`.
  CsvTable read(const TakeRow& take) {
    if (lines_.is_at_end()) no_rows();
    const Fields& first = lines_.next();
    find_header(first);
    find_text_column(first.size());
    table_.columns = first.size() - (text_ ? 1 : 0) - (has_row_numbers_ ? 1 : 0);
    if (table_.names.empty()) add_row(first, take);
    do {
      while (!lines_.is_at_end()) add_row(lines_.next(), take);
    } while (pieces_.next(lines_));
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

  void add_row(const Fields& fields, const TakeRow& take) {
    numbers_.clear();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i == 0 && has_row_numbers_)
        check_row_number(fields[i]);
      else if (text_ == i)
        add_text(fields[i]);
      else
        add_number(fields[i]);
    }
    take(numbers_);
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
    numbers_.push_back(*value);
  }

  std::string hint(std::string_view field) const {
    if (field.find_first_of(";\t") != std::string_view::npos)
      return fmt::format("; fields are separated by {} here, as in the first line",
                         name_of_separator(lines_.separator()));
    const bool is_word = !field.empty() && std::isalpha(static_cast<unsigned char>(field.front())) != 0;
    if (lines_.number() == 1 && (field.empty() || (is_word && !is_missing_cell(field))))
      return "; if this line is a header, every column needs a name that is no number";
    if (is_missing_cell(field)) return "; rows with missing values have to be left out or filled in";
    if (is_grouped_by_comma(field))
      return "; write it without the comma, or with a point before the fraction";
    if (is_grouped_by_mark(field)) return "; write it without the marks between its thousands";
    if (has_sign_of_unit(field)) return "; write the number alone, and of what it is in the header";
    if (is_date(field))
      return "; it looks like a date: write it as a number, such as days since the first one, or leave the "
             "column out";
    const bool is_digits = !field.empty() && field.find_first_not_of("0123456789.") == std::string_view::npos;
    if (is_digits) return "; it is beyond what f32 holds";
    if (is_word && field != "inf" && !text_ && !table_.names.empty())
      return "; a column of labels is called `label`, or named by `labels: {column: NAME}` or "
             "--label-column; "
             "columns of other kinds are read by `table:` in the place of `images:`";
    return {};
  }

  /// "2020-01-31", "31.1.2020", "1/31/20 12:00".
  static bool is_date(std::string_view field) {
    const auto parts = std::count_if(field.begin(), field.end(),
                                     [](char c) { return c == '-' || c == '/' || c == '.' || c == ':'; });
    return parts >= 2 && std::isdigit(static_cast<unsigned char>(field.front())) != 0 &&
           field.find_first_not_of("0123456789-/.: TZ+") == std::string_view::npos;
  }

  CsvPieces& pieces_;
  CsvLines lines_;
  const std::optional<TextColumn>& wanted_;
  std::optional<std::size_t> text_;
  bool has_row_numbers_ = false;
  std::size_t row_number_ = 0;
  std::vector<float> numbers_;  ///< of a row
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
  std::vector<float> values;
  CsvTable table = read_csv(
      path, text, [&](std::span<const float> row) { values.insert(values.end(), row.begin(), row.end()); });
  table.values = std::move(values);
  return table;
}

CsvTable read_csv(const fs::path& path, const std::optional<TextColumn>& text, const TakeRow& take) {
  CsvPieces pieces(path);
  return TableReader(pieces, path, text).read(take);
}

std::vector<std::string> read_csv_column(const fs::path& path, const std::string& column) {
  const std::string content = csv_text(path);
  CsvLines lines(content, path);
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
