#include "cli/output/output_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "files/number_text.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/datasets/tables/row_coder.hpp"

namespace graphrun::cli {

namespace {

/// NAME, or NAME_0, NAME_1, …: as the model gives them.
struct PlainColumns : OutputColumns {
  explicit PlainColumns(const train::OutputValues& given) : output(given), width(width_of(given)) {
    for (std::size_t i = 0; i < width; ++i)
      names.push_back(width == 1 ? given.name : fmt::format("{}_{}", given.name, i));
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    for (std::size_t i = row * width; i < (row + 1) * width; ++i) cells.push_back(text_of(i));
  }
  std::string text_of(std::size_t i) const {
    if (output.type.dtype != DType::i32) return files::number_text(train::as_floats(output)[i]);
    return files::number_text(reinterpret_cast<const std::int32_t*>(output.bytes.data())[i]);
  }
  const train::OutputValues& output;
  std::size_t width;
};

/// A row of cells as the columns that they stand for, in their own units.
struct RowColumns : OutputColumns {
  RowColumns(const train::OutputValues& given, const std::vector<FittedColumn>& columns)
      : values(train::as_floats(given)), fitted(columns) {
    for (const FittedColumn& column : fitted)
      if (column.cells() > 0) names.push_back(column.name);
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    std::size_t at = row * static_cast<std::size_t>(cells_of(fitted));
    for (const FittedColumn& column : fitted) {
      if (column.cells() == 0) continue;
      cells.push_back(train::decoded(column, values.subspan(at, column.cells())));
      at += column.cells();
    }
  }
  std::span<const float> values;
  const std::vector<FittedColumn>& fitted;
};

/// What is said of several numbers, each in its unit.
struct TargetsColumns : OutputColumns {
  TargetsColumns(const train::OutputValues& given, std::vector<const FittedColumn*> columns)
      : values(train::as_floats(given)), targets(std::move(columns)) {
    for (const FittedColumn* target : targets) names.push_back(target->name);
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    for (std::size_t i = 0; i < targets.size(); ++i)
      cells.push_back(train::decoded(*targets[i], values.subspan(row * targets.size() + i, 1)));
  }
  std::span<const float> values;
  std::vector<const FittedColumn*> targets;
};

/// What is said of the target: a number in its unit; or the value that is likeliest, and what each is given.
struct TargetColumns : OutputColumns {
  TargetColumns(const train::OutputValues& given, const FittedColumn& column)
      : values(train::as_floats(given)), target(column), width(width_of(given)) {
    names.push_back(target.name);
    for (const std::string& value : target.values) names.push_back(fmt::format("{}_{}", given.name, value));
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    const std::span<const float> own = values.subspan(row * width, width);
    cells.push_back(train::decoded(target, own));
    if (!target.is_category) return;
    for (const float value : own) cells.push_back(files::number_text(value));
  }
  std::span<const float> values;
  const FittedColumn& target;
  std::size_t width;
};

}  // namespace

std::size_t width_of(const train::OutputValues& output) {
  std::size_t width = 1;
  for (std::size_t axis = 1; axis < output.extents.size(); ++axis)
    width *= static_cast<std::size_t>(output.extents[axis]);
  return width;
}

std::unique_ptr<OutputColumns> columns_of(const train::OutputValues& output,
                                          const std::vector<FittedColumn>& fitted) {
  const FittedColumn* target = target_of(fitted);
  const std::size_t width = width_of(output);
  if (output.name == "row" && width == static_cast<std::size_t>(cells_of(fitted)))
    return std::make_unique<RowColumns>(output, fitted);
  if (output.type.dtype != DType::f32) return std::make_unique<PlainColumns>(output);
  const std::vector<const FittedColumn*> targets = targets_of(fitted);
  const auto named = std::ranges::find(targets, output.name, &FittedColumn::name);
  if (named != targets.end()) target = *named;
  const bool are_numbers =
      std::ranges::none_of(targets, [](const FittedColumn* one) { return one->is_category; });
  if (output.name == "target" && targets.size() > 1 && are_numbers && width == targets.size())
    return std::make_unique<TargetsColumns>(output, targets);
  const bool is_target = (output.name == "target" || named != targets.end()) && target != nullptr;
  if (is_target && width == (target->is_category ? target->values.size() : 1))
    return std::make_unique<TargetColumns>(output, *target);
  return std::make_unique<PlainColumns>(output);
}

}  // namespace graphrun::cli
