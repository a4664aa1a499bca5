/// \file
/// Outputs as columns: by the names and in the units of the table that was learnt from, where they are its
/// own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::cli {

/// Columns of a table that is written: their names, and the cells of a row.
struct OutputColumns {
  std::vector<std::string> names;
  virtual ~OutputColumns() = default;
  virtual void add(std::size_t row, std::vector<std::string>& cells) const = 0;
};

/// Values of a row of an output.
std::size_t width_of(const train::OutputValues& output);

/// `row` as the columns that it draws; `target`, or the target's own name, as a number in its unit, or the
/// class that is likeliest and what each is given; all else as NAME, or NAME_0, NAME_1, …. Borrows both.
std::unique_ptr<OutputColumns> columns_of(const train::OutputValues& output,
                                          const std::vector<FittedColumn>& fitted);

}  // namespace graphrun::cli
