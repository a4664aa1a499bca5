/// \file
/// From `data:` and the rows to learn from to what each column becomes.
#pragma once

#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/tables/table_text.hpp"

namespace graphrun::train {

/// Reads the training table of `data.table`. What `columns:` does not say is guessed: numbers are
/// standardised, texts with few values are categories, what numbers the rows or is never twice the same is
/// left out. Means, scales, values and fill values are those of the rows to learn from alone. Error{model} at
/// a column that the table has not, Error{data} at a cell.
std::vector<FittedColumn> fit_table(const DataRecipe& data);

/// The same of a table that takes the place of the training table.
std::vector<FittedColumn> fit_table(const DataRecipe& data, const TableText& table);

}  // namespace graphrun::train
