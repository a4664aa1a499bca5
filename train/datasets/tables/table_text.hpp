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

/// Is it a table by how it is called, or a folder with some? Files by other names may be tables too.
bool is_table(const std::filesystem::path& path);

/// The text is read from its file each time that somebody goes through it, piece by piece, and never kept.
/// Several files in a folder are one table, in the order of their names: columns go by their names, as the
/// first file has them. Of NumPy's arrays the text is made, and kept.
class TableText {
 public:
  /// A file, plain or gzip; an array; or a folder with files that end in .csv or .tsv, and maybe .gz, or in
  /// .npy. Error{data}: no rows, a name twice, columns that not all files have, text that is not UTF-8, …
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
  /// The number of the first row of each file: known once all rows have been seen.
  std::vector<std::size_t> first_rows() const;

  /// Calls visit(lines, fields) for each row, in order: `lines` can tell numbers, and fail at a field.
  /// Error{data} when a file has changed since it was first read.
  template <class Visit>
  void for_each_row(const Visit& visit) const {
    for (const File& file : files_) {
      const std::unique_ptr<files::CsvPieces> pieces = open(file);
      files::CsvLines lines(pieces->text(), file.path);
      if (file.has_header) lines.next();
      files::CsvFields ordered;
      std::size_t rows = 0;
      do {
        while (!lines.is_at_end()) {
          const files::CsvFields& fields = lines.next();
          if (file.rows && rows == *file.rows) fail_changed(file);
          visit(lines, file.in_order(fields, ordered));
          ++rows;
        }
      } while (pieces->next(lines));
      if (file.rows && rows != *file.rows) fail_changed(file);
      file.rows = rows;
    }
  }

 private:
  /// What a file was when it was first looked at.
  struct Version {
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type written;
    bool operator==(const Version&) const = default;
  };
  struct File {
    std::filesystem::path path;
    std::optional<std::string> text = {};  ///< instead of what is at the path
    std::optional<Version> version = {};
    bool is_array = false;  ///< its text has no header, whatever it looks like
    bool has_header = false;
    std::vector<std::size_t> places = {};          ///< of each column of the table; empty: in order
    mutable std::optional<std::size_t> rows = {};  ///< once all have been seen

    /// The fields in the order of the table's columns.
    const files::CsvFields& in_order(const files::CsvFields& fields, files::CsvFields& ordered) const;
  };

  std::unique_ptr<files::CsvPieces> open(const File& file) const;
  static Version version_of(const std::filesystem::path& path);
  [[noreturn]] static void fail_changed(const File& file);
  std::vector<std::string> read_header(File& file);
  void add(const std::filesystem::path& path);
  void add(File file);

  std::filesystem::path path_;
  std::vector<File> files_;
  std::vector<std::string> names_;
  std::string note_;
};

}  // namespace graphrun::train
