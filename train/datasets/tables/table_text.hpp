/// \file
/// A table as people have it: a text whose first line names its columns, and a row in each line behind it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "files/csv_lines.hpp"

namespace graphrun::train {

class TableText {
 public:
  /// Reads the file, plain or gzip. Error{data}: no rows, a name twice, text that is not UTF-8, …
  explicit TableText(std::filesystem::path path);
  /// The same of a text that came from elsewhere; `path` is for messages.
  TableText(std::string text, std::filesystem::path path);
  TableText(const TableText&) = delete;
  TableText& operator=(const TableText&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Of the columns, in their order; "0", "1", … when the first line is a row. The first may be empty: a
  /// column that numbers the rows.
  const std::vector<std::string>& names() const { return names_; }
  const std::string& note() const { return note_; }  ///< what was taken for granted, if it may be wrong

  /// Calls visit(lines, fields) for each row, in order: `lines` can tell numbers, and fail at a field.
  template <class Visit>
  void for_each_row(const Visit& visit) const {
    files::CsvLines lines(text_, path_);
    if (has_header_) lines.next();
    while (!lines.is_at_end()) {
      const files::CsvFields& fields = lines.next();
      visit(lines, fields);
    }
  }

 private:
  void require_text() const;
  void read_header();

  std::filesystem::path path_;
  std::string text_;
  std::vector<std::string> names_;
  bool has_header_ = false;
  std::string note_;
};

}  // namespace graphrun::train
