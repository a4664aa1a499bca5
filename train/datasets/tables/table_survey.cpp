#include "train/datasets/tables/table_survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "errors/printable.hpp"
#include "files/number_text.hpp"
#include "train/datasets/tables/time_text.hpp"

namespace graphrun::train {

namespace {

/// In a small table many texts may all be different by chance.
constexpr std::size_t fewest_rows_of_names = 10;
/// More texts than this part of a column make it one of texts.
constexpr std::size_t texts_of_numbers = 10;

class Surveyor {
 public:
  explicit Surveyor(const TableText& table) : before_(table.names().size(), 0) {
    for (const std::string& name : table.names())
      columns_.push_back({.name = name, .first_text = {}, .values = {}});
  }

  void add(const files::CsvLines& lines, const files::CsvFields& fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) add_cell(lines, fields[i], i);
    is_first_ = false;
  }

  std::vector<ColumnSurvey> take() { return std::move(columns_); }

 private:
  void add_cell(const files::CsvLines& lines, std::string_view field, std::size_t i) {
    ColumnSurvey& column = columns_[i];
    if (files::is_missing_cell(field)) {
      ++column.missing;
      column.numbers_the_rows = false;
      return;
    }
    if (column.values.size() <= ColumnSurvey::most_values && !column.values.contains(field))
      column.values.emplace(field);
    const std::optional<double> number = lines.real(field);
    if (number) {
      ++column.numbers;
      column.are_dates = false;
      column.numbers_the_rows = column.numbers_the_rows && (is_first_ || *number == before_[i] + 1) &&
                                files::parse_index(field).has_value();
      before_[i] = *number;
      return;
    }
    column.numbers_the_rows = false;
    column.are_dates = column.are_dates && is_date(field);
    if (column.texts++ == 0) column.first_text = {place_of(lines, field), std::string(field)};
  }

  static SourceLocation place_of(const files::CsvLines& lines, std::string_view field) {
    try {
      lines.fail({}, field);
    } catch (const Error& error) {
      return error.where();
    }
  }

  std::vector<ColumnSurvey> columns_;
  std::vector<double> before_;
  bool is_first_ = true;
};

/// Do all cells look like numbers that people write and no program reads?
bool are_written_numbers(const ColumnSurvey& column) {
  return std::ranges::all_of(column.values, [](const std::string& text) {
    return files::is_grouped_by_mark(text) || files::has_sign_of_unit(text) ||
           files::number_in<double>(text).has_value();
  });
}

/// "kg" of "3.4 kg": what stands behind a number, without digits. Empty: nothing, or there is no number.
std::string_view unit_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return {};
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return rest.find_first_of("0123456789") == std::string_view::npos ? rest : std::string_view();
}

/// The unit behind all cells. Few values may well be kinds: 12V and 24V.
std::string_view common_unit(const ColumnSurvey& column) {
  constexpr std::size_t most_kinds = 10;
  const std::string_view unit = unit_in(column.first_text.text);
  const auto has_it = [&](const std::string& text) { return unit_in(text) == unit; };
  return column.values.size() > most_kinds && std::ranges::all_of(column.values, has_it) ? unit
                                                                                         : std::string_view();
}

}  // namespace

bool is_grouped_by_point(std::string_view text) {
  const std::size_t point = text.find('.');
  return point != text.npos && text.find(',') != text.npos && text.find(',') > text.rfind('.') &&
         files::is_grouped_by_comma(text);
}

bool is_infinite(std::string_view text) {
  const std::optional<double> number = files::number_in<double>(text);
  return number && std::isinf(*number);
}

bool is_date(std::string_view text) {
  const auto parts = std::count_if(text.begin(), text.end(),
                                   [](char c) { return c == '-' || c == '/' || c == '.' || c == ':'; });
  return parts >= 2 && std::isdigit(static_cast<unsigned char>(text.front())) != 0 &&
         text.find_first_not_of("0123456789-/.: TZ+") == std::string_view::npos;
}

namespace {

/// Numbers of groups, and of files, in the order in which they first appear.
std::vector<std::uint32_t> series_of_rows(const std::vector<std::string>& groups,
                                          const std::vector<std::size_t>& first_rows, std::size_t rows) {
  std::map<std::pair<std::size_t, std::string>, std::uint32_t> known;
  std::vector<std::uint32_t> series;
  std::size_t file = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    while (file + 1 < first_rows.size() && first_rows[file + 1] <= row) ++file;
    const std::string& group = groups.empty() ? std::string() : groups[row];
    series.push_back(
        known.try_emplace({file, group}, static_cast<std::uint32_t>(known.size())).first->second);
  }
  return series;
}

/// Is a part of each series still as long as a window?
bool are_long_enough(const std::vector<std::uint32_t>& series, const TableRecipe& recipe) {
  std::map<std::uint32_t, std::size_t> counts;
  for (const std::uint32_t one : series) ++counts[one];
  const TableRecipe::Split& split = recipe.split;
  double least = 1 - split.validation - split.test;
  for (const double share : {split.validation, split.test})
    if (share > 0) least = std::min(least, share);
  const auto window = static_cast<double>(recipe.windows->size + recipe.windows->ahead);
  return std::ranges::all_of(
      counts, [&](const auto& one) { return static_cast<double>(one.second) * least >= window + 1; });
}

std::size_t place_of(const TableText& table, const std::optional<TableRecipe::Named>& column) {
  const std::string name = column ? column->name : std::string();
  const auto found = std::ranges::find(table.names(), name);
  return name.empty() ? table.names().size() : static_cast<std::size_t>(found - table.names().begin());
}

template <class Add>
TableSurvey survey_with(const TableText& table, const TableRecipe& recipe, const Add& add) {
  TableSurvey result;
  const TableRecipe::Split& split = recipe.split;
  const bool is_time = split.by == TableRecipe::Split::By::time;
  const bool are_series = recipe.windows && is_time && !split.column;
  const std::size_t place = place_of(table, split.column);
  const std::size_t group = place_of(table, are_series ? recipe.windows->group : std::nullopt);
  std::vector<std::string> groups;
  table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
    add(lines, fields);
    ++result.rows;
    if (group < fields.size()) groups.emplace_back(fields[group]);
    if (place >= fields.size()) return;
    if (is_time && !time_in(fields[place]))
      lines.fail(no_time_in(fields[place], split.column->name), fields[place]);
    result.split_values.emplace_back(fields[place]);
  });
  if (are_series) result.series = series_of_rows(groups, table.first_rows(), result.rows);
  if (are_series && !are_long_enough(result.series, recipe)) result.series.clear();
  return result;
}

}  // namespace

TableSurvey survey(const TableText& table, const TableRecipe& recipe) {
  Surveyor surveyor(table);
  TableSurvey result = survey_with(
      table, recipe,
      [&](const files::CsvLines& lines, const files::CsvFields& fields) { surveyor.add(lines, fields); });
  result.columns = surveyor.take();
  return result;
}

TableSurvey survey_rows(const TableText& table, const TableRecipe& recipe) {
  return survey_with(table, recipe, [](const files::CsvLines&, const files::CsvFields&) {});
}

Guess guess(const ColumnSurvey& column, std::size_t rows) {
  if (column.is_empty()) return {Guess::Kind::ignored, "empty"};
  if (column.name.empty()) return {Guess::Kind::ignored, "without a name"};
  if (column.holds_numbers()) {
    if (column.numbers_the_rows && rows > 2) return {Guess::Kind::ignored, "numbers the rows"};
    return {Guess::Kind::number, {}};
  }
  if (is_infinite(column.first_text.text))
    throw Error(ErrorCode::data,
                fmt::format("'{}' is infinite, and finite numbers alone are read: write NA where a value is "
                            "missing; or list '{}' under `ignore:`",
                            printable(column.first_text.text.substr(0, 40)), printable(column.name)),
                column.first_text.where);
  if (is_grouped_by_point(column.first_text.text))
    throw Error(ErrorCode::data,
                fmt::format("'{}' is a number with points between its thousands: write it without them",
                            printable(column.first_text.text.substr(0, 40))),
                column.first_text.where);
  if (files::is_grouped_by_comma(column.first_text.text))
    throw Error(
        ErrorCode::data,
        fmt::format("'{}' is a number with a comma in it: write it without the comma, or with a point "
                    "before the fraction",
                    printable(column.first_text.text.substr(0, 40))),
        column.first_text.where);
  if (are_written_numbers(column))
    throw Error(
        ErrorCode::data,
        fmt::format("'{}' is no number, though it looks like one: write it without {}; or list '{}' under "
                    "`categories:` or `ignore:`",
                    printable(column.first_text.text.substr(0, 40)),
                    files::has_sign_of_unit(column.first_text.text) ? "the sign beside it"
                                                                    : "the marks between its thousands",
                    printable(column.name)),
        column.first_text.where);
  if (const std::string_view unit = common_unit(column); !unit.empty())
    throw Error(
        ErrorCode::data,
        fmt::format("'{}' is a number with '{}' behind it, as the others of '{}' are: write them alone; "
                    "or list the column under `categories:` or `ignore:`",
                    printable(column.first_text.text.substr(0, 40)), printable(unit.substr(0, 40)),
                    printable(column.name)),
        column.first_text.where);
  if (column.are_dates) return {Guess::Kind::ignored, "dates"};
  if (column.numbers > column.texts * texts_of_numbers)
    throw Error(ErrorCode::data,
                fmt::format("'{}' is no number, as the other cells of '{}' are; mend it, or write NA where a "
                            "value is missing; or list the column under `categories:` or `ignore:`",
                            printable(column.first_text.text.substr(0, 40)), printable(column.name)),
                column.first_text.where);
  const bool all_differ = column.values.size() == column.texts + column.numbers;
  if (column.values.size() > ColumnSurvey::most_values || (all_differ && rows >= fewest_rows_of_names))
    return {Guess::Kind::ignored, "texts, each another"};
  return {Guess::Kind::category, {}};
}

}  // namespace graphrun::train
