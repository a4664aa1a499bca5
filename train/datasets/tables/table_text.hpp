/// \file
/// A table as people have it: a text whose first line names its columns, and a row in each line behind it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/csv_lines.hpp"
#include "files/csv_pieces.hpp"

namespace graphrun::train {

/// The text is read from its file each time that somebody goes through it, piece by piece, and never kept.
class TableText {
 public:
  /// The file is plain or gzip. Error{data}: no rows, a name twice, text that is not UTF-8, …
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
  /// Error{data} when the file has changed since it was first read.
  template <class Visit>
  void for_each_row(const Visit& visit) const {
    const std::unique_ptr<files::CsvPieces> pieces = open();
    files::CsvLines lines(pieces->text(), path_);
    if (has_header_) lines.next();
    std::size_t rows = 0;
    do {
      while (!lines.is_at_end()) {
        const files::CsvFields& fields = lines.next();
        if (rows_ && rows == *rows_) fail_changed();
        visit(lines, fields);
        ++rows;
      }
    } while (pieces->next(lines));
    if (rows_ && rows != *rows_) fail_changed();
    rows_ = rows;
  }

 private:
  /// What the file was when it was first looked at.
  struct Version {
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type written;
    bool operator==(const Version&) const = default;
  };

  std::unique_ptr<files::CsvPieces> open() const;
  Version version() const;
  [[noreturn]] void fail_changed() const;
  void read_header();

  std::filesystem::path path_;
  std::optional<std::string> text_;
  std::optional<Version> version_;
  std::vector<std::string> names_;
  bool has_header_ = false;
  std::string note_;
  mutable std::optional<std::size_t> rows_;  ///< once all have been seen
};

}  // namespace graphrun::train
