/// \file
/// The text of a table, cut into records and fields: what separates them, quotes, line ends and encodings.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graphrun::files {

using CsvFields = std::vector<std::string_view>;

/// The text of a table, plain or gzip. Error{data} for more than a gigabyte of it, and for a file of another
/// kind, by its name.
std::string csv_text(const std::filesystem::path& path);

/// A whole number from 0.
std::optional<std::size_t> parse_index(std::string_view text);

/// 0, 1, 2, …: what columns without names are called by programs that write a header all the same.
bool are_column_numbers(const CsvFields& fields);

/// Empty, or what programs write for a cell that is not known: NA, nan, null, ?, …
bool is_missing_cell(std::string_view field);

/// Error{data} for files that people take for tables, told by how they begin: spreadsheets, Parquet, web
/// pages, UTF-16, …
void require_table_text(std::string_view text, const std::filesystem::path& path);

/// Goes through the records of a text, which are its lines but for line ends between quotes. Separators are
/// commas, semicolons, tabs or bars, whichever the first line has or, as `sep=;`, names; spaces around a
/// field are dropped, quotes stand around a whole field, and two of them within are one. A byte order mark
/// and line ends of any kind are passed over, and blank lines; in a table of one column such a line is a cell
/// that is missing, but for those at the end. Errors{data} have the line and column.
class CsvLines {
 public:
  /// Both must outlive this. Error{data} for text that is not in UTF-8 or ASCII, as far as it is told by its
  /// beginning.
  CsvLines(std::string_view text, const std::filesystem::path& path);
  /// One record in line `number`, whose fields are cells that somebody holds as such; errors have the number
  /// of the cell in place of the column.
  CsvLines(std::span<const std::string_view> cells, const std::filesystem::path& path, int number);

  bool is_at_end() const { return rest_.empty(); }
  int number() const { return number_; }  ///< of the line that the last record begins in, from 1
  const std::filesystem::path& path() const { return path_; }
  std::string_view rest() const { return rest_; }
  char line_end() const { return line_end_; }
  char separator() const { return separator_; }
  /// Goes on with other text, as if it followed what was read so far. Nothing is left of it when it is blank.
  void append(std::string_view text) {
    rest_ = text;
    skip_blank_lines();
  }

  /// The fields of the next record, which must have as many as the one before; valid until the next call.
  const CsvFields& next();

  const CsvFields& fields() const { return fields_; }  ///< of the record read last

  /// A number as this file writes them, or a truth value, 1 or 0.
  std::optional<float> number(std::string_view field) const;
  std::optional<double> real(std::string_view field) const;  ///< the same, precisely

  /// A header has no number in it; a line with some is a row with a mistake.
  bool is_header(const CsvFields& fields) const;

  /// Error at a field of the record read last, or at a part of it.
  [[noreturn]] void fail(const std::string& message, std::string_view at) const;

 private:
  void skip_blank_lines();
  void take_record();
  void drop_trailing_field();
  void require_one_line() const;
  void split();
  std::size_t end_of_field(std::size_t begin) const;
  std::string_view unquoted(std::string_view field);

  std::string_view rest_;
  std::string_view record_;
  const std::filesystem::path& path_;
  char line_end_ = '\n';
  char separator_ = ',';
  bool is_trailed_ = false;
  bool is_first_ = true;
  bool begins_with_comment_ = false;
  int number_ = 0;
  int next_number_ = 1;  ///< of the line that the rest begins with
  int lines_ = 1;        ///< of the record read last
  CsvFields fields_;
  std::vector<std::size_t> starts_;        ///< where in the record each field begins
  std::deque<std::string> without_pairs_;  ///< fields whose double quotes are single now; or all cells
};

}  // namespace graphrun::files
