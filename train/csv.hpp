/// \file
/// Tables of numbers as comma-separated text, the same in every locale.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace graphrun::train {

struct CsvTable {
  std::vector<std::string> names;  ///< of the columns; empty if the file has no header line
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;  ///< [rows, columns], row-major
};

/// Writes a header line of the names (none if there are none) and a line for each row, complete or not at
/// all. Every value reads back to the same bits, but for the kind of a NaN. Error{usage} if names and values
/// do not fit `columns`.
void write_csv(const std::filesystem::path& path, std::span<const std::string> names, std::size_t columns,
               std::span<const float> values);

/// Reads numbers separated by commas, with spaces around them allowed. A first line with anything but numbers
/// is the header. A byte order mark, CRLF and empty lines at the end are passed over. Error{data} with line
/// and column: no rows, lines of different length, fields that are no finite f32 numbers, quotes.
CsvTable read_csv(const std::filesystem::path& path);

}  // namespace graphrun::train
