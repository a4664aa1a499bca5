#include "train/datasets/tables/row_coder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "errors/nearest.hpp"
#include "errors/printable.hpp"
#include "files/number_text.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/datasets/tables/table_survey.hpp"

namespace graphrun::train {

namespace {

namespace fs = std::filesystem;

std::string shown(std::string_view text) {
  return printable(text.substr(0, 40));
}

Error at_header(const fs::path& path, const std::string& message) {
  return {ErrorCode::data, message, {path.string(), 1, 1}};
}

/// What the columns of a table without names are called.
bool are_numbered(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] != std::to_string(i)) return false;
  return true;
}

/// Columns that nobody has spoken of might be what the model should see.
void require_known(const std::vector<FittedColumn>& columns, const TableReading& reading,
                   const std::vector<std::string>& names, const fs::path& path) {
  std::vector<std::string> known;
  for (const FittedColumn& column : columns) known.push_back(column.name);
  for (const std::string& name : names) {
    if (!name.empty() && std::ranges::count(names, name) > 1)
      throw at_header(path,
                      fmt::format("two columns are called '{}': each needs a name of its own", shown(name)));
    const bool is_known = name.empty() || std::ranges::find(known, name) != known.end() ||
                          std::ranges::find(reading.also, name) != reading.also.end();
    if (is_known) continue;
    const std::string nearest = nearest_name(name, known);
    throw at_header(
        path,
        fmt::format("the column '{}' is new: the model has not learnt from it{}; take it away, or "
                    "say what it is: --label {} or --ignore {}",
                    shown(name), nearest.empty() ? "" : fmt::format(" (is '{}' meant?)", shown(nearest)),
                    shown(name), shown(name)));
  }
}

}  // namespace

RowCoder::RowCoder(const std::vector<FittedColumn>& columns, const TableReading& reading,
                   const std::vector<std::string>& names, const fs::path& path)
    : columns_(columns), reading_(reading) {
  for (const FittedColumn& column : columns) {
    const auto found = std::ranges::find(names, column.name);
    places_.push_back(found == names.end() ? std::nullopt
                                           : std::optional(static_cast<std::size_t>(found - names.begin())));
    cells_ += column.cells();
    if (places_.back() || !is_needed(column)) continue;
    if (are_numbered(names))
      throw at_header(path,
                      fmt::format("the first line is a row, and no names of columns, by which the model "
                                  "finds '{}' and others: put them in front",
                                  shown(column.name)));
    throw at_header(path, fmt::format("there is no column '{}', which the model learnt from. {}",
                                      shown(column.name), suggestion(column.name, names)));
  }
  require_known(columns, reading, names, path);
}

bool RowCoder::is_needed(const FittedColumn& column) const {
  const bool is_learnt_from = column.is_target() || column.use == FittedColumn::Use::weight;
  return column.has_cells() || column.use == FittedColumn::Use::input ||
         (is_learnt_from && reading_.needs_target);
}

void RowCoder::encode(const files::CsvLines& lines, const files::CsvFields& fields, CodedRow& row) const {
  row.cells.assign(cells_, 0);
  row.mask.assign(cells_, 0);
  row.others.clear();
  row.has_unknown = false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const FittedColumn& column = columns_[i];
    if (column.use == FittedColumn::Use::ignored) continue;
    if (column.use != FittedColumn::Use::cells)
      row.others.push_back(places_[i] ? encode_other(column, lines, fields[*places_[i]], row)
                                      : std::numeric_limits<float>::quiet_NaN());
    if (!column.has_cells()) continue;
    const std::string_view field = fields[*places_[i]];
    if (column.is_category)
      encode_category(column, lines, field, at, row);
    else
      encode_number(column, lines, field, at, row);
    at += column.cells();
  }
}

bool RowCoder::is_missing(const FittedColumn& column, const files::CsvLines& lines,
                          std::string_view field) const {
  if (!files::is_missing_cell(field)) return false;
  if (reading_.missing == MissingCells::refuse)
    lines.fail(fmt::format("the cell of '{}' is missing; `missing: mask` under `data:` lets the model know, "
                           "mean or median fills it in",
                           shown(column.name)),
               field);
  return true;
}

double RowCoder::number_in(const FittedColumn& column, const files::CsvLines& lines,
                           std::string_view field) const {
  const std::optional<double> number = lines.real(field);
  if (number && std::abs(*number) <= std::numeric_limits<float>::max()) return *number;
  const char* hint =
      number                       ? "is beyond what f32 holds"
      : is_infinite(field)         ? "is infinite; write NA where a value is missing"
      : is_grouped_by_point(field) ? "is no number: write it without the points between its thousands"
      : files::is_grouped_by_comma(field)
          ? "is no number: write it without the comma, or with a point before the fraction"
      : files::is_grouped_by_mark(field) ? "is no number: write it without the marks between its thousands"
      : files::has_sign_of_unit(field)   ? "is no number: write the number alone"
      : is_date(field)                   ? "is a date, and no number"
                                         : "is no number; write NA where a value is missing";
  lines.fail(fmt::format("column '{}': '{}' {}", shown(column.name), shown(field), hint), field);
}

void RowCoder::encode_number(const FittedColumn& column, const files::CsvLines& lines, std::string_view field,
                             std::size_t at, CodedRow& row) const {
  if (is_missing(column, lines, field)) {
    if (column.fill) row.cells[at] = static_cast<float>(scaled(column, *column.fill));
    return;
  }
  const auto value = static_cast<float>(scaled(column, number_in(column, lines, field)));
  if (!std::isfinite(value))
    lines.fail(fmt::format("column '{}': '{}' is beyond what f32 holds, once it is scaled",
                           shown(column.name), shown(field)),
               field);
  row.cells[at] = value;
  row.mask[at] = 1;
}

void RowCoder::encode_category(const FittedColumn& column, const files::CsvLines& lines,
                               std::string_view field, std::size_t at, CodedRow& row) const {
  if (is_missing(column, lines, field)) {
    if (column.fill) row.cells[at + static_cast<std::size_t>(*column.fill)] = 1;
    return;
  }
  const auto found = std::ranges::lower_bound(column.values, field);
  const bool is_known = found != column.values.end() && *found == field;
  if (!is_known && reading_.refuses_unknown)
    lines.fail(
        fmt::format("column '{}': the model has learnt nothing of '{}'. {} Mend it, leave the row out, "
                    "or learn again from rows that have it",
                    shown(column.name), shown(field), suggestion(field, column.values)),
        field);
  row.has_unknown = row.has_unknown || !is_known;
  std::fill_n(row.mask.begin() + static_cast<std::ptrdiff_t>(at), column.values.size(), 1.0F);
  if (is_known) row.cells[at + static_cast<std::size_t>(found - column.values.begin())] = 1;
}

float RowCoder::encode_other(const FittedColumn& column, const files::CsvLines& lines, std::string_view field,
                             CodedRow& row) const {
  const bool is_input = column.use == FittedColumn::Use::input;
  if (files::is_missing_cell(field)) {
    if (is_input && column.fill)
      return static_cast<float>(column.is_category ? *column.fill : scaled(column, *column.fill));
    if (is_input)
      lines.fail(
          fmt::format("the cell of '{}' is missing, which an input takes by itself; `missing: mean` or "
                      "median under `data:` fills it in",
                      shown(column.name)),
          field);
    if (!is_needed(column) || column.is_seen) return std::numeric_limits<float>::quiet_NaN();
    lines.fail(fmt::format("the {} '{}' is missing here; leave the row out",
                           column.is_target() ? "target" : "weight", shown(column.name)),
               field);
  }
  if (column.is_category) return encode_own_category(column, lines, field, row);
  const double number = number_in(column, lines, field);
  if (column.use == FittedColumn::Use::weight && number < 0)
    lines.fail(fmt::format("the weight '{}' is below 0", shown(field)), field);
  return static_cast<float>(scaled(column, number));
}

float RowCoder::encode_own_category(const FittedColumn& column, const files::CsvLines& lines,
                                    std::string_view field, CodedRow& row) const {
  const auto found = std::ranges::lower_bound(column.values, field);
  if (found != column.values.end() && *found == field)
    return static_cast<float>(found - column.values.begin());
  const bool is_input = column.use == FittedColumn::Use::input;
  if (!is_input || reading_.refuses_unknown)
    lines.fail(fmt::format("{} '{}': '{}' is none of the values that were learnt. {}",
                           is_input ? "column" : "target", shown(column.name), shown(field),
                           suggestion(field, column.values)),
               field);
  row.has_unknown = true;
  return 0;
}

std::string decoded(const FittedColumn& column, std::span<const float> cells) {
  if (column.is_category)
    return column.values[static_cast<std::size_t>(std::ranges::max_element(cells) - cells.begin())];
  return files::number_text(static_cast<float>(unscaled(column, static_cast<double>(cells.front()))));
}

}  // namespace graphrun::train
