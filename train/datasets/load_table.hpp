/// \file
/// Tables as examples.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/dataset.hpp"
#include "train/datasets/row_windows.hpp"
#include "train/datasets/tables/row_coder.hpp"
#include "train/datasets/tables/table_text.hpp"

namespace graphrun::train {

/// The tables of `data:`, whose columns are fitted: rows to learn from, to validate and to test with. Error
/// {data} at a cell.
Dataset load_table_data(const DataRecipe& data);

/// A table that takes the place of the model's own.
struct TableQuery {
  std::string label = {};                 ///< the column with labels; empty: that of the model's test data
  std::vector<std::string> ignored = {};  ///< columns that are new, and not looked at
  bool needs_target = false;
};

/// How the model reads such a table: also what its own data have beside the model's columns may be there.
TableReading table_reading(const DataRecipe& data, const TableQuery& query);

/// Its rows, in order. Error{data}.
ImageSet load_table(const TableText& table, const DataRecipe& data, const TableQuery& query);

/// A row that stands alone, as examples of one row.
ImageSet single_row(const CodedRow& row, const DataRecipe& data);

/// The rows of a table as the examples of the model: all windows of them, where it takes windows. With
/// `foretelling`, also windows behind which there is no row yet: their targets mean nothing.
ImageSet examples_of(const TableText& table, ImageSet rows, const TableRecipe& recipe,
                     bool foretelling = false);

/// The column with labels that the model's own files have and this table has too; empty if there is none.
std::string own_label(const TableText& table, const DataRecipe& data);

/// "temp, press: standardise; kind: category of 3; id: ignored".
std::string described(const std::vector<FittedColumn>& columns);

}  // namespace graphrun::train
