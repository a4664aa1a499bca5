#include "train/datasets/tables/row_coder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

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

/// Columns that nobody has spoken of might be what the model should see.
void require_known(const std::vector<FittedColumn>& columns, const TableReading& reading,
                   const std::vector<std::string>& names, const fs::path& path) {
  std::vector<std::string> known;
  for (const FittedColumn& column : columns) known.push_back(column.name);
  for (const std::string& name : names) {
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
    const bool is_needed =
        column.use == FittedColumn::Use::cells || (column.is_target() && reading.needs_target);
    if (places_.back() || !is_needed) continue;
    throw at_header(path, fmt::format("there is no column '{}', which the model learnt from. {}",
                                      shown(column.name), suggestion(column.name, names)));
  }
  require_known(columns, reading, names, path);
}

void RowCoder::encode(const files::CsvLines& lines, const files::CsvFields& fields, CodedRow& row) const {
  row.cells.assign(cells_, 0);
  row.mask.assign(cells_, 0);
  row.target = std::numeric_limits<float>::quiet_NaN();
  row.has_unknown = false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const FittedColumn& column = columns_[i];
    if (!places_[i] || column.use == FittedColumn::Use::ignored) continue;
    const std::string_view field = fields[*places_[i]];
    if (column.is_target())
      encode_target(column, lines, field, row);
    else if (column.is_category)
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
  const bool is_grouped = field.find(',') != std::string_view::npos &&
                          field.find_first_not_of("+-0123456789,. ") == std::string_view::npos;
  const char* hint = number ? "is beyond what f32 holds"
                     : is_grouped
                         ? "is no number: write it without the comma, or with a point before the fraction"
                     : is_date(field) ? "is a date, and no number"
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

void RowCoder::encode_target(const FittedColumn& column, const files::CsvLines& lines, std::string_view field,
                             CodedRow& row) const {
  if (files::is_missing_cell(field)) {
    if (!reading_.needs_target) return;
    lines.fail(fmt::format("the target '{}' is missing here; leave the row out", shown(column.name)), field);
  }
  if (!column.is_category) {
    row.target = static_cast<float>(scaled(column, number_in(column, lines, field)));
    return;
  }
  const auto found = std::ranges::lower_bound(column.values, field);
  if (found == column.values.end() || *found != field)
    lines.fail(fmt::format("target '{}': '{}' is none of the values that were learnt. {}", shown(column.name),
                           shown(field), suggestion(field, column.values)),
               field);
  row.target = static_cast<float>(found - column.values.begin());
}

std::string decoded(const FittedColumn& column, std::span<const float> cells) {
  if (column.is_category)
    return column.values[static_cast<std::size_t>(std::ranges::max_element(cells) - cells.begin())];
  return files::number_text(static_cast<float>(unscaled(column, static_cast<double>(cells.front()))));
}

}  // namespace graphrun::train
