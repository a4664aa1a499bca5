/// \file
/// metrics.csv and metrics.jsonl of a run: the same rows twice, for spreadsheets and for programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "files/file.hpp"

namespace graphrun::train {

/// A cell: empty, a number, or text. Numbers are written in the shortest form that reads back to the same
/// value. What is empty is an empty field in CSV and absent in JSON; NaN and infinities are nan and inf in
/// CSV and null in JSON.
using MetricsCell = std::variant<std::monostate, double, std::string>;

class MetricsLog {
 public:
  /// Starts new files in `folder`, with "step" and `columns` for columns. Error{io} if one is there already;
  /// Error{usage} for columns that are empty, twice, or not made of letters, digits and _ . / -.
  MetricsLog(const std::filesystem::path& folder, std::vector<std::string> columns);

  /// Continues the files of a run that is resumed: rows after `last_step`, and a last line that was cut
  /// off, are removed for good before anything is appended. Files that are not there are started. Error{data}
  /// if their columns are others or a row has no step.
  static MetricsLog resume(const std::filesystem::path& folder, std::vector<std::string> columns,
                           std::uint64_t last_step);

  /// Appends a row; a cell for every column but "step". It is in the files when this returns, though not yet
  /// forced to the disk. Error{io}.
  void append(std::uint64_t step, std::span<const MetricsCell> cells);

 private:
  MetricsLog() = default;

  std::vector<std::string> columns_;
  std::filesystem::path csv_path_;
  std::filesystem::path jsonl_path_;
  files::Descriptor csv_;
  files::Descriptor jsonl_;
};

}  // namespace graphrun::train
