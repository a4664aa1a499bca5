/// \file
/// The text of a table, whole records of it at a time: a file is never in memory as a whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "files/csv_lines.hpp"

namespace graphrun::files {

class CsvPieces {
 public:
  /// Of a file, plain or gzip. Error{data} for text that is not UTF-8, wherever it is met, and for records of
  /// more than 256 MiB. The path must outlive this.
  explicit CsvPieces(const std::filesystem::path& path);
  /// Of a text in memory, which is one piece; both must outlive this.
  CsvPieces(std::string_view text, const std::filesystem::path& path);
  CsvPieces(const CsvPieces&) = delete;
  CsvPieces& operator=(const CsvPieces&) = delete;
  ~CsvPieces();

  std::string_view text() const { return text_; }  ///< the piece at hand
  bool is_last() const;
  /// Hands the lines the next piece; false when there is none.
  bool next(CsvLines& lines);

 private:
  struct Source;
  void read();
  void require_text() const;

  const std::filesystem::path& path_;
  std::unique_ptr<Source> source_;  ///< null: the text is in memory
  std::string buffer_;
  std::string_view text_;
  std::size_t lines_before_ = 0;
};

}  // namespace graphrun::files
