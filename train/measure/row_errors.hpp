/// \file
/// How far off a model draws the rows of a table, column by column and in their units.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "language/recipe/table_recipe.hpp"
#include "train/datasets/read_examples.hpp"

namespace graphrun::train {

struct RowError {
  double squared = 0;  ///< summed over the cells that are there, as they are scaled
  double cells = 0;    ///< how many these are
  /// Of each column that is drawn. Of a number: what is drawn less what is there, in its unit. Of a category:
  /// 0 if what is drawn most is what is there, else 1. NaN: the cell is missing.
  std::vector<double> columns;

  double mean() const { return cells > 0 ? squared / cells : 0; }
};

/// The names of the columns that a row is drawn by.
std::vector<std::string> drawn_columns(const std::vector<FittedColumn>& fitted);

/// Of one row of the set; `drawn` are its cells as the model draws them.
RowError row_error(std::span<const float> drawn, const ImageSet& rows, std::size_t row,
                   const std::vector<FittedColumn>& fitted);

}  // namespace graphrun::train
