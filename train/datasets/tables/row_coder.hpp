/// \file
/// Rows of a table as a model takes them. Columns are found by name, in any order.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "files/csv_lines.hpp"
#include "language/recipe/table_recipe.hpp"

namespace graphrun::train {

/// How a table is read that may be another than the model learnt from.
struct TableReading {
  MissingCells missing = MissingCells::refuse;
  bool needs_target = false;    ///< otherwise targets and weight may be absent, and cells of them missing
  bool refuses_unknown = true;  ///< a value that was not learnt from is an error; or else all its cells are 0
  std::vector<std::string> also = {};  ///< columns that it may have, and that the model does not see
};

struct CodedRow {
  std::vector<float> cells;
  std::vector<float> mask;  ///< of each cell: 1 where the table has one
  /// Of each column that is no mere cell (learnt, taken by an input, a weight), in their order: a number as
  /// it is scaled, of a category the place of its value; NaN: not there.
  std::vector<float> others;
  bool has_unknown = false;
};

class RowCoder {
 public:
  /// For tables with these columns. Error{data}, in line 1 of `path`, for a column that is needed and absent,
  /// or there and unknown.
  RowCoder(const std::vector<FittedColumn>& columns, const TableReading& reading,
           const std::vector<std::string>& names, const std::filesystem::path& path);

  /// Error{data} at a cell that makes no sense.
  void encode(const files::CsvLines& lines, const files::CsvFields& fields, CodedRow& row) const;

  std::size_t cells() const { return cells_; }

 private:
  void encode_number(const FittedColumn& column, const files::CsvLines& lines, std::string_view field,
                     std::size_t at, CodedRow& row) const;
  void encode_category(const FittedColumn& column, const files::CsvLines& lines, std::string_view field,
                       std::size_t at, CodedRow& row) const;
  float encode_other(const FittedColumn& column, const files::CsvLines& lines, std::string_view field,
                     CodedRow& row) const;
  float encode_own_category(const FittedColumn& column, const files::CsvLines& lines, std::string_view field,
                            CodedRow& row) const;
  bool is_needed(const FittedColumn& column) const;
  bool is_missing(const FittedColumn& column, const files::CsvLines& lines, std::string_view field) const;
  double number_in(const FittedColumn& column, const files::CsvLines& lines, std::string_view field) const;

  const std::vector<FittedColumn>& columns_;
  TableReading reading_;
  std::vector<std::optional<std::size_t>> places_;  ///< of each column, in the table
  std::size_t cells_ = 0;
};

/// What cells say of a column: a number in its own unit, or the value whose cell is highest. `cells` are the
/// column's own.
std::string decoded(const FittedColumn& column, std::span<const float> cells);

}  // namespace graphrun::train
