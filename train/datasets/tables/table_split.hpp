/// \file
/// Which rows of a table are learnt from, and which are kept for measuring.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "language/recipe/table_recipe.hpp"

namespace graphrun::train {

enum class Part : std::uint8_t { train, validation, test };

/// The columns that say where a row belongs, by split and windows: no cells.
std::vector<const TableRecipe::Named*> ordering_columns(const TableRecipe& table);

/// The part of each row, the same in every run: a function of the split and the table alone. `values` are
/// those of the column that rows are split by, as surveyed; empty: none. With `series`, by time, it is the
/// same share of each that is kept. Error{data} when nothing is left to learn from.
std::vector<Part> parts_of(const TableRecipe::Split& split, std::size_t rows,
                           const std::vector<std::string>& values,
                           const std::vector<std::uint32_t>& series = {});

}  // namespace graphrun::train
