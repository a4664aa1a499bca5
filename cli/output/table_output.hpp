/// \file
/// What the commands that answer row by row have in common: the table that is given, and the one that is
/// written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "files/csv_lines.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/load_table.hpp"

namespace graphrun::cli {

/// A table for a model that has learnt from one.
struct TableFlags {
  std::string table;
  std::string label;
  std::vector<std::string> ignored;

  void declare(Arguments& arguments);
  /// The label that is asked for, or the one that the model's own data have, if it is there.
  train::TableQuery query(const train::TableText& text, const DataRecipe& data) const;
};

/// Error{usage} for a model that has not learnt from a table.
const DataRecipe& table_data_of(const ModelDefinition& model, std::string_view command);

/// A cell as it is written again: a decimal comma becomes a point.
std::string copied_cell(const files::CsvLines& lines, std::string_view field);

/// The cells of a row, all of them.
std::vector<std::string> copied_row(const files::CsvLines& lines, const files::CsvFields& fields);

/// Error{usage} where two columns of what is written would have one name, with what to do.
void require_unique(const std::vector<std::string>& names, std::string_view fix);

}  // namespace graphrun::cli
