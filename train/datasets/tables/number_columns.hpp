/// \file
/// Numbers of a table, column by column: what is fitted looks at one column at a time, and a table may be
/// larger than memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "files/scratch_file.hpp"

namespace graphrun::train {

class NumberColumns {
 public:
  /// Up to `most_bytes` of numbers are kept in memory, more of them in a file.
  explicit NumberColumns(std::size_t columns, std::size_t most_bytes = std::size_t{256} << 20);

  /// A number of the row at hand, which is finite.
  void add(std::size_t column, double number) { row_[column] = number; }
  /// The next row begins. Numbers that were not added are missing.
  void end_row();

  /// The numbers of a column in the order of the rows, without those that are missing.
  std::vector<double> column(std::size_t column) const;

 private:
  /// Some rows: of each column all numbers behind each other, NaN where one is missing.
  struct Block {
    std::size_t rows = 0;
    std::uint64_t offset = 0;     ///< in the file
    std::vector<double> numbers;  ///< empty: they are in the file
  };
  void end_block();

  std::size_t columns_;
  std::size_t most_bytes_;
  std::size_t kept_bytes_ = 0;
  std::vector<double> row_;
  std::vector<double> rows_;  ///< of the block at hand, one behind the other
  std::size_t block_rows_;
  std::vector<Block> blocks_;
  std::optional<files::ScratchFile> file_;
};

}  // namespace graphrun::train
