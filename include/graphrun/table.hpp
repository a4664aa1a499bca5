/// \file
/// Tables in memory: a model that learns from one learns from rows of a host's own, and what its columns
/// become (scaled numbers, categories as cells, missing cells as a mask) is the library's to do, as for
/// files.
///
///     graphrun::Table rows;
///     rows.add("temp", temperatures).add("kind", kinds);   // numbers, texts
///     const graphrun::Model model = graphrun::Model::load("model.yaml", rows);
///     session.fit(graphrun::EncodedRows(model, rows).inputs());
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graphrun/error.hpp"
#include "graphrun/export.hpp"
#include "graphrun/model.hpp"
#include "graphrun/session.hpp"

namespace graphrun {

/// Columns with names, each of numbers or of texts, with a value for each row. NaN and the empty text stand
/// for cells that are missing.
class Table {
 public:
  using Column = std::variant<std::vector<double>, std::vector<std::string>>;

  /// Adds a column. Error{usage}: a name that is empty, taken or a number, or another number of rows than
  /// those of the columns before.
  GRAPHRUN_API Table& add(std::string name, std::vector<double> numbers);
  GRAPHRUN_API Table& add(std::string name, std::vector<std::string> texts);

  std::size_t rows() const { return rows_; }
  const std::vector<std::string>& names() const { return names_; }  ///< in the order in which they were added
  const Column& column(std::size_t place) const { return columns_[place]; }
  /// Error{usage}: there is no such column, or it is of the other kind.
  GRAPHRUN_API const std::vector<double>& numbers(std::string_view name) const;
  GRAPHRUN_API const std::vector<std::string>& texts(std::string_view name) const;

 private:
  Table& add_column(std::string name, Column column, std::size_t rows);
  std::size_t place_of(std::string_view name) const;

  std::vector<std::string> names_;
  std::vector<Column> columns_;
  std::size_t rows_ = 0;
};

/// What a model is given for rows of a table. Immutable; may be used from any thread.
class GRAPHRUN_API EncodedRows {
 public:
  /// Columns are found by name, in any order; those of the target, of weights and of labels may be absent.
  /// Error{usage}: the model has not learnt from a table, or looks at windows of rows. Error{data}, at the
  /// line that the row would have in a file (the first is 2) and by the column's name: a column that is
  /// absent, or new; a cell that makes no sense.
  EncodedRows(const Model& model, const Table& rows);
  EncodedRows(EncodedRows&&) noexcept;
  EncodedRows& operator=(EncodedRows&&) noexcept;
  ~EncodedRows();

  std::size_t rows() const;
  /// The inputs of the model that the rows have values for, by name, in the order of the file. The values are
  /// this object's.
  Inputs inputs() const;
  /// The same for a Predictor: those of its inputs, in its order. Error{usage}: one is none of these.
  std::vector<InputSpan> inputs(const Predictor& predictor) const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// What a model says of rows, in the names and units of its table: of output `row` all columns that it draws;
/// of `target` the number, or the class by name. `values` are dense, a row behind the other. Error{usage} for
/// any other output, and for a count of values that does not fit.
GRAPHRUN_API Table decoded(const Model& model, std::string_view output, std::span<const float> values);

}  // namespace graphrun
