/// \file
/// Tables as text, the same in every locale: numbers, and one column of text beside them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace graphrun::files {

/// What a column of labels is called unless it is named otherwise.
inline constexpr const char* label_column = "label";

struct CsvTable {
  std::vector<std::string> names;  ///< of the columns; empty if the file has no header line
  std::size_t rows = 0;
  std::size_t columns = 0;         ///< of numbers
  std::vector<float> values;       ///< [rows, columns], row-major
  std::vector<std::string> texts;  ///< [rows], of the column that is read as text; empty if there is none
  std::string note;                ///< what was taken for granted, if it may be wrong
};

/// A column that is taken out of a table and read as text: its name in the header, or its number from 0.
struct TextColumn {
  std::string name;
  bool required = true;  ///< otherwise, a table without it is read as it is
};

/// A line of a table, with its end: text in quotes where it needs them, and a line end in it as a space.
std::string csv_line(std::span<const std::string> fields);

/// Writes a header line of the names (none if there are none) and a line for each row, complete or not at
/// all. Every value reads back to the same bits, but for the kind of a NaN. Error{usage} if names and values
/// do not fit `columns`.
void write_csv(const std::filesystem::path& path, std::span<const std::string> names, std::size_t columns,
               std::span<const float> values);

/// Reads fields separated by commas, semicolons or tabs, whichever the first line has, with spaces around
/// them allowed, and quotes around a whole field; plain or gzip. True and False are 1 and 0; where a comma
/// separates nothing, it may stand for the point. A first line without numbers is the header, and so is 0, 1,
/// 2, …; a first column without a name that numbers the rows is left out, as is an empty last one. A byte
/// order mark, line ends of any kind and empty lines at the end are passed over. Error{data} with line and
/// column: no rows, lines of different length, fields that are no finite f32 numbers, a text column that is
/// empty or not there.
CsvTable read_csv(const std::filesystem::path& path, const std::optional<TextColumn>& text = std::nullopt);

/// The same of a table that is larger than memory: the numbers of each row go to `take`, in order, and not
/// into the table.
using TakeRow = std::function<void(std::span<const float>)>;
CsvTable read_csv(const std::filesystem::path& path, const std::optional<TextColumn>& text,
                  const TakeRow& take);

/// The fields of one column, whatever the others hold. `column` is a name or number as in TextColumn; when it
/// is empty, the column `label`, or the only one. A first line is the header when it has that name, or when
/// it is no number and all others are. Errors as above.
std::vector<std::string> read_csv_column(const std::filesystem::path& path, const std::string& column);

}  // namespace graphrun::files
