#include "train/measure/row_errors.hpp"

#include <algorithm>
#include <limits>

#include "train/datasets/tables/column_scale.hpp"

namespace graphrun::train {

namespace {

std::ptrdiff_t highest(std::span<const float> cells) {
  return std::ranges::max_element(cells) - cells.begin();
}

double error_of(const FittedColumn& column, std::span<const float> drawn, std::span<const float> given) {
  if (column.is_category) return highest(drawn) == highest(given) ? 0 : 1;
  return unscaled(column, static_cast<double>(drawn.front())) -
         unscaled(column, static_cast<double>(given.front()));
}

}  // namespace

std::vector<std::string> drawn_columns(const std::vector<FittedColumn>& fitted) {
  std::vector<std::string> names;
  for (const FittedColumn& column : fitted)
    if (column.cells() > 0) names.push_back(column.name);
  return names;
}

RowError row_error(std::span<const float> drawn, const ImageSet& rows, std::size_t row,
                   const std::vector<FittedColumn>& fitted) {
  const std::size_t width = rows.values_per_image();
  const std::span<const float> given = std::span(rows.values).subspan(row * width, width);
  RowError error;
  std::size_t at = 0;
  for (const FittedColumn& column : fitted) {
    const std::size_t cells = column.cells();
    if (cells == 0) continue;
    const bool is_there = rows.mask.empty() || rows.mask[row * width + at] != 0;
    error.columns.push_back(is_there ? error_of(column, drawn.subspan(at, cells), given.subspan(at, cells))
                                     : std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = at; is_there && i < at + cells; ++i) {
      const double difference = static_cast<double>(drawn[i]) - static_cast<double>(given[i]);
      error.squared += difference * difference;
      error.cells += 1;
    }
    at += cells;
  }
  return error;
}

}  // namespace graphrun::train
