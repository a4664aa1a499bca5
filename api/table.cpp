#include "graphrun/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "api/bound_rows.hpp"
#include "api/boundary.hpp"
#include "api/table_text.hpp"
#include "files/csv.hpp"
#include "graph/op.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/load_table.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/datasets/tables/table_text.hpp"

namespace graphrun {

using api::at_boundary;

namespace {

constexpr const char* noun = "object of encoded rows";

bool is_number(const std::string& text) {
  return files::CsvLines(text, {}).number(text).has_value();
}

/// The values of a column that cells stand for, `width` of them in a row of `stride`.
Table::Column column_of(const FittedColumn& column, std::span<const float> values, std::size_t first,
                        std::size_t stride) {
  if (column.is_category) {
    std::vector<std::string> texts;
    for (std::size_t at = first; at < values.size(); at += stride) {
      const auto cells = values.subspan(at, column.values.size());
      texts.push_back(
          column.values[static_cast<std::size_t>(std::ranges::max_element(cells) - cells.begin())]);
    }
    return texts;
  }
  std::vector<double> numbers;
  for (std::size_t at = first; at < values.size(); at += stride)
    numbers.push_back(train::unscaled(column, static_cast<double>(values[at])));
  return numbers;
}

std::size_t cells_in(const FittedColumn& column) {
  return column.is_category ? column.values.size() : 1;
}

/// The columns that an output draws.
std::vector<const FittedColumn*> drawn_by(const std::string_view output,
                                          const std::vector<FittedColumn>& fitted) {
  if (output == "target") return targets_of(fitted);
  std::vector<const FittedColumn*> columns;
  for (const FittedColumn& column : fitted)
    if (output == "row" && column.cells() > 0) columns.push_back(&column);
  return columns;
}

void add_to(Table& table, const std::string& name, Table::Column column) {
  std::visit([&](auto& values) { table.add(name, std::move(values)); }, column);
}

}  // namespace

namespace api {

std::string cell_of(const Table::Column& column, std::size_t row) {
  const std::string missing = "NA";  // an empty line would be no row
  if (const auto* numbers = std::get_if<std::vector<double>>(&column))
    return std::isnan((*numbers)[row]) ? missing : fmt::format("{}", (*numbers)[row]);
  const std::string& text = std::get<std::vector<std::string>>(column)[row];
  return text.empty() ? missing : text;
}

std::string text_of(const Table& table) {
  std::string text = files::csv_line(table.names());
  std::vector<std::string> cells(table.names().size());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = cell_of(table.column(i), row);
    text += files::csv_line(cells);
  }
  return text;
}

}  // namespace api

Table& Table::add_column(std::string name, Column column, std::size_t rows) {
  return at_boundary([&]() -> Table& {
    if (name.empty() || is_number(name))
      throw Error(ErrorCode::usage, fmt::format("a column needs a name that is no number, not '{}'", name));
    if (std::ranges::find(names_, name) != names_.end())
      throw Error(ErrorCode::usage, fmt::format("two columns are called '{}'", name));
    if (!names_.empty() && rows != rows_)
      throw Error(ErrorCode::usage, fmt::format("column '{}' has {} rows, the others {}", name, rows, rows_));
    columns_.push_back(std::move(column));
    names_.push_back(std::move(name));
    rows_ = rows;
    return *this;
  });
}

Table& Table::add(std::string name, std::vector<double> numbers) {
  const std::size_t rows = numbers.size();
  return add_column(std::move(name), std::move(numbers), rows);
}

Table& Table::add(std::string name, std::vector<std::string> texts) {
  const std::size_t rows = texts.size();
  return add_column(std::move(name), std::move(texts), rows);
}

std::size_t Table::place_of(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  if (found == names_.end()) throw Error(ErrorCode::usage, fmt::format("the table has no column '{}'", name));
  return static_cast<std::size_t>(found - names_.begin());
}

const std::vector<double>& Table::numbers(std::string_view name) const {
  return at_boundary([&]() -> const std::vector<double>& {
    if (const auto* numbers = std::get_if<std::vector<double>>(&columns_[place_of(name)])) return *numbers;
    throw Error(ErrorCode::usage, fmt::format("column '{}' is of texts", name));
  });
}

const std::vector<std::string>& Table::texts(std::string_view name) const {
  return at_boundary([&]() -> const std::vector<std::string>& {
    if (const auto* texts = std::get_if<std::vector<std::string>>(&columns_[place_of(name)])) return *texts;
    throw Error(ErrorCode::usage, fmt::format("column '{}' is of numbers", name));
  });
}

class EncodedRows::Implementation {
 public:
  Implementation(const Model& model, const Table& table) : model_(model), rows_(bound(model, table)) {}

  std::size_t rows() const { return rows_.count(); }

  Inputs inputs() const {
    Inputs all;
    for (const ModelInput& input : model_.definition().inputs)
      if (const std::optional<InputSpan> values = rows_.values_of(input.name))
        all.push_back({input.name, *values});
    return all;
  }

  std::vector<InputSpan> inputs(const Predictor& predictor) const {
    std::vector<InputSpan> all;
    for (const TensorInfo& input : predictor.inputs()) all.push_back(rows_.needed_values_of(input.name));
    return all;
  }

 private:
  static api::BoundRows bound(const Model& model, const Table& table) {
    const DataRecipe& data = api::row_data_of(model);
    const train::TableText text(api::text_of(table), api::table_name);
    return {model, train::load_table(text, data, {.label = train::own_label(text, data), .ignored = {}})};
  }

  Model model_;
  api::BoundRows rows_;
};

EncodedRows::EncodedRows(const Model& model, const Table& rows)
    : implementation_(at_boundary([&] { return std::make_unique<Implementation>(model, rows); })) {}
EncodedRows::EncodedRows(EncodedRows&&) noexcept = default;
EncodedRows& EncodedRows::operator=(EncodedRows&&) noexcept = default;
EncodedRows::~EncodedRows() = default;

std::size_t EncodedRows::rows() const {
  return at_boundary([&] { return api::held_by(implementation_, noun).rows(); });
}
Inputs EncodedRows::inputs() const {
  return at_boundary([&] { return api::held_by(implementation_, noun).inputs(); });
}
std::vector<InputSpan> EncodedRows::inputs(const Predictor& predictor) const {
  return at_boundary([&] { return api::held_by(implementation_, noun).inputs(predictor); });
}

Table decoded(const Model& model, std::string_view output, std::span<const float> values) {
  return at_boundary([&] {
    const std::vector<const FittedColumn*> columns = drawn_by(output, api::row_data_of(model).table->fitted);
    if (columns.empty())
      throw Error(
          ErrorCode::usage,
          fmt::format("'{}' is no output that columns of a table are drawn by: these are `row` and `target`",
                      output));
    std::size_t width = 0;
    for (const FittedColumn* column : columns) width += cells_in(*column);
    if (values.size() % width != 0)
      throw Error(ErrorCode::usage, fmt::format("{} values of '{}' are no whole number of rows of {}",
                                                values.size(), output, width));
    Table table;
    std::size_t first = 0;
    for (const FittedColumn* column : columns) {
      add_to(table, column->name, column_of(*column, values, first, width));
      first += cells_in(*column);
    }
    return table;
  });
}

}  // namespace graphrun
