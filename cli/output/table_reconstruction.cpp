#include "cli/output/table_reconstruction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "errors/printable.hpp"
#include "files/csv.hpp"
#include "files/file.hpp"
#include "files/number_text.hpp"
#include "graphrun/error.hpp"
#include "train/datasets/tables/row_coder.hpp"
#include "train/measure/row_errors.hpp"

namespace graphrun::cli {

namespace {

constexpr std::size_t most_differences = 3;

std::size_t rows_of(const NamedExamples& data) {
  return static_cast<std::size_t>(data.examples.count);
}

/// A column whose cells the model draws otherwise than they are.
struct Difference {
  std::string text;
  double squared = 0;
};

std::optional<Difference> difference(const FittedColumn& column, std::span<const float> drawn,
                                     std::span<const float> given) {
  const std::string made = train::decoded(column, drawn);
  const std::string there = train::decoded(column, given);
  if (made == there) return std::nullopt;
  Difference result{
      fmt::format("{} {} instead of {}", printable(column.name), printable(made), printable(there))};
  for (std::size_t i = 0; i < drawn.size(); ++i)
    result.squared += std::pow(static_cast<double>(drawn[i] - given[i]), 2);
  return result;
}

}  // namespace

bool draws_rows(const ModelDefinition& model) {
  return model.data && model.data->table && model.role("row");
}

TableReconstruction::TableReconstruction(train::Learner& learner, const NamedExamples& data)
    : data_(data),
      fitted_(learner.model().data->table->fitted),
      blocks_(learner, {"row"}, data.examples, true) {
  if (learner.model().data->table->windows)
    throw Error(ErrorCode::usage,
                "the model looks at windows of rows, and draws no rows one by one; `graphrun score` says "
                "which rows are odd");
  const train::OutputValues& first = blocks_.with(0).outputs.front();
  if (width_of(first) != data.images->values_per_image())
    throw Error(ErrorCode::usage, fmt::format("output 'row' is {}, and a row has {} cells",
                                              to_string(first.type), data.images->values_per_image()));
  double squared = 0;
  double cells = 0;
  for (std::size_t row = 0; row < rows_of(data); ++row) {
    const train::RowError error = train::row_error(drawn(row), *data.images, row, fitted_);
    errors_.push_back(error.mean());
    squared += error.squared;
    cells += error.cells;
  }
  mean_ = squared / std::max(cells, 1.0);
}

std::span<const float> TableReconstruction::drawn(std::size_t row) {
  const OutputBlocks::Block& block = blocks_.with(row);
  const std::size_t width = data_.images->values_per_image();
  return train::as_floats(block.outputs.front()).subspan((row - block.first) * width, width);
}

void TableReconstruction::write(const std::string& out) {
  std::filesystem::path(out).extension() == ".npy" ? write_npy(out, blocks_) : write_csv(out);
}

void TableReconstruction::write_csv(const std::string& out) {
  std::vector<std::string> names{"row_number"};
  for (const std::string& column : train::drawn_columns(fitted_)) names.push_back(column);
  files::AtomicFile file(out);
  file.write(files::csv_line(names));
  for (std::size_t row = 0; row < blocks_.count(); ++row) {
    std::vector<std::string> cells{std::to_string(row + 1)};
    const OutputBlocks::Block& block = blocks_.with(row);
    block.columns.front()->add(row - block.first, cells);
    file.write(files::csv_line(cells));
  }
  file.commit();
}

void TableReconstruction::write_errors(const std::string& out) {
  std::vector<std::string> names{"row_number", "mse"};
  if (data_.images->has_labels()) names.emplace_back(files::label_column);
  for (const std::string& column : train::drawn_columns(fitted_)) names.push_back("error." + column);
  files::AtomicFile file(out);
  file.write(files::csv_line(names));
  for (std::size_t row = 0; row < blocks_.count(); ++row) {
    std::vector<std::string> cells{std::to_string(row + 1),
                                   files::number_text(static_cast<float>(errors_[row]))};
    if (const std::optional<std::string> name = label(row)) cells.push_back(*name);
    for (const double error : train::row_error(drawn(row), *data_.images, row, fitted_).columns)
      cells.push_back(std::isnan(error) ? std::string() : files::number_text(static_cast<float>(error)));
    file.write(files::csv_line(cells));
  }
  file.commit();
}

std::string TableReconstruction::differences(std::size_t row) {
  const std::span<const float> own = drawn(row);
  const train::ImageSet& rows = *data_.images;
  const std::span<const float> given = std::span(rows.values).subspan(row * own.size(), own.size());
  std::vector<Difference> all;
  std::size_t at = 0;
  for (const FittedColumn& column : fitted_) {
    const std::size_t cells = column.cells();
    if (cells == 0) continue;
    const bool is_there = rows.mask.empty() || rows.mask[row * own.size() + at] != 0;
    if (is_there)
      if (std::optional<Difference> one =
              difference(column, own.subspan(at, cells), given.subspan(at, cells)))
        all.push_back(std::move(*one));
    at += cells;
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &Difference::squared);
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), most_differences); ++i)
    text += (i == 0 ? "" : ", ") + all[i].text;
  return text;
}

std::optional<std::string> TableReconstruction::label(std::size_t row) const {
  const train::ImageSet& rows = *data_.images;
  if (!rows.has_labels()) return std::nullopt;
  const auto number = static_cast<std::size_t>(rows.labels[row]);
  return rows.class_names.empty() ? std::to_string(number) : rows.class_names[number];
}

}  // namespace graphrun::cli
