/// \file
/// Rows of a table beside what a model draws instead of them, by the names and in the units of the columns.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/examples_source.hpp"
#include "cli/output/output_blocks.hpp"
#include "files/json.hpp"

namespace graphrun::cli {

/// Does the model learn from a table and draw its rows?
bool draws_rows(const ModelDefinition& model);

class TableReconstruction {
 public:
  /// Measures all rows. Both are borrowed. Error{usage} for windows of rows, and when output `row` has
  /// another size than rows have.
  TableReconstruction(train::Learner& learner, const NamedExamples& data);

  /// What is drawn: a CSV, or an NPY of the cells as they are scaled.
  void write(const std::string& out);
  /// A CSV with the errors of each row.
  void write_errors(const std::string& out);

  /// Of each row, the mean over its cells that are there, as they are scaled.
  const std::vector<double>& errors() const { return errors_; }
  double mean_squared_error() const { return mean_; }
  /// "b 3.5 instead of -6, kind y instead of x": up to three columns, those that are furthest off first.
  std::string differences(std::size_t row);
  /// By its name; nothing where there are none.
  std::optional<std::string> label(std::size_t row) const;

 private:
  std::span<const float> drawn(std::size_t row);
  void write_csv(const std::string& out);

  const NamedExamples& data_;
  const std::vector<FittedColumn>& fitted_;
  OutputBlocks blocks_;
  std::vector<double> errors_;
  double mean_ = 0;
};

}  // namespace graphrun::cli
