/// \file
/// What the columns of a table hold, before anybody says what they are for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "graphrun/error.hpp"
#include "language/recipe/table_recipe.hpp"
#include "train/datasets/tables/table_text.hpp"

namespace graphrun::train {

struct ColumnSurvey {
  /// A cell, for messages.
  struct Cell {
    SourceLocation where;
    std::string text;
  };
  std::string name;
  std::size_t numbers = 0;  ///< cells that are numbers
  std::size_t texts = 0;    ///< others, but for missing ones
  std::size_t missing = 0;
  Cell first_text;  ///< if there is one
  std::set<std::string, std::less<>>
      values;                    ///< texts and numbers as they are written, at most most_values + 1
  bool numbers_the_rows = true;  ///< whole numbers that go up by one
  bool are_dates = true;         ///< all texts are; numbers are not

  /// A column with more values is no category.
  static constexpr std::size_t most_values = 1000;
  bool is_empty() const { return numbers + texts == 0; }
  bool holds_numbers() const { return texts == 0; }
};

struct TableSurvey {
  std::size_t rows = 0;
  std::vector<ColumnSurvey> columns;      ///< in the order of the table
  std::vector<std::string> split_values;  ///< of each row: the column that rows are split by, if any
  /// Of each row: which series it is of, where rows are in order of time within each series alone.
  std::vector<std::uint32_t> series = {};
};

/// Goes through the table once. Error{data}, at the cell, for what is no time in a column that rows are split
/// by in time.
TableSurvey survey(const TableText& table, const TableRecipe& recipe);

/// The rows alone, and what splits them.
TableSurvey survey_rows(const TableText& table, const TableRecipe& recipe);

/// What a column is that nobody speaks of.
struct Guess {
  enum class Kind { number, category, ignored };
  Kind kind = Kind::number;
  std::string reason;  ///< of ignored ones: "numbers the rows"
};

/// Error{data}, at the cell, for a column of numbers with a few texts.
Guess guess(const ColumnSurvey& column, std::size_t rows);

/// "1.234,5": points between thousands, and a comma before the fraction.
bool is_grouped_by_point(std::string_view text);

/// "inf", "-Infinity".
bool is_infinite(std::string_view text);

/// "2020-01-31", "31.1.2020", "1/31/20 12:00".
bool is_date(std::string_view text);

}  // namespace graphrun::train
