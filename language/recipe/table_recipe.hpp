/// \file
/// `data:` of a table: what its columns are to a model, and what was fitted on the rows to learn from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graphrun/error.hpp"

namespace graphrun {

/// How a number becomes what a model is given.
enum class ColumnScale {
  as_is,
  standardise,  ///< less its mean, by its standard deviation
  robust,       ///< less its median, by the distance of its quartiles
  min_max,      ///< from 0 to 1
  quantile,     ///< its place among the values, from 0 to 1
  log           ///< sign(v)·log(1 + |v|), then as standardise
};
inline constexpr std::array<std::string_view, 6> column_scales = {"as_is",   "standardise", "robust",
                                                                  "min_max", "quantile",    "log"};
inline std::string_view name_of(ColumnScale scale) {
  return column_scales[static_cast<std::size_t>(scale)];
}

/// A column as a model takes it: the cells that it becomes.
struct FittedColumn {
  enum class Use {
    cells,   ///< of the row that a model is given
    target,  ///< what is learnt
    input,   ///< an input takes the column by itself
    weight,  ///< how much a row counts
    ignored
  };
  std::string name;
  Use use = Use::cells;
  bool is_seen = false;             ///< a target whose past is given to the model: it has cells too
  bool is_category = false;         ///< one of `values`, each a cell of 0 or 1; else a number, one cell
  std::vector<std::string> values;  ///< of a category, in the order of their cells
  ColumnScale scale = ColumnScale::as_is;
  double centre = 0;                   ///< of a number, in the units of the scale
  double spread = 1;                   ///< never 0
  std::vector<double> landmarks = {};  ///< quantile: values at equal distances of rank, rising
  std::optional<double> fill = {};     ///< what stands for a missing cell: a number, or the place of a value

  bool is_target() const { return use == Use::target; }
  bool has_cells() const { return use == Use::cells || is_seen; }
  std::size_t cells() const { return !has_cells() ? 0 : is_category ? values.size() : 1; }
};

/// What stands for cells that are missing.
enum class MissingCells { refuse, mask, mean, median };

struct TableRecipe {
  struct Named {
    std::string name;
    SourceLocation where;
  };
  struct Number : Named {
    ColumnScale scale = ColumnScale::standardise;
  };
  std::vector<Number> numbers;
  std::vector<Named> categories;
  std::vector<Named> ignored;
  std::vector<Named> targets;
  std::vector<Named> inputs;  ///< columns that inputs of the model take by themselves
  std::optional<Named> weight;
  MissingCells missing = MissingCells::refuse;

  /// Parts of the training table that are not learnt from.
  struct Split {
    enum class By { random, time, group };
    double validation = 0;  ///< share of the rows
    double test = 0;
    By by = By::random;
    std::optional<Named> column;  ///< with the group; with the time: without it, rows are in order of time
  };
  Split split;

  /// Rows are points of series: an example is a window of them.
  struct Windows {
    std::int64_t size = 1;
    std::int64_t stride = 1;     ///< while learning; scores look at every window
    std::int64_t ahead = 0;      ///< the target is that of so many rows behind the window
    std::optional<Named> group;  ///< `by:`: which series a row is of
    std::optional<Named> time;   ///< rows are in order without it
  };
  std::optional<Windows> windows;

  std::vector<FittedColumn> fitted;  ///< in the order of their cells; empty: not fitted yet
};

/// The cells of a row.
std::int64_t cells_of(const std::vector<FittedColumn>& columns);

/// The columns that are learnt.
std::vector<const FittedColumn*> targets_of(const std::vector<FittedColumn>& columns);

/// The column that is learnt, if there is just one.
const FittedColumn* target_of(const std::vector<FittedColumn>& columns);

}  // namespace graphrun
