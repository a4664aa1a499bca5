#include "train/run/metrics_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "files/csv.hpp"
#include "files/json.hpp"
#include "files/number_text.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_log = std::uint64_t{1} << 30;
constexpr std::string_view json_step = "{\"step\":";

void check_columns(const std::vector<std::string>& columns) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  std::set<std::string_view> seen{"step"};
  for (const std::string& column : columns) {
    if (column.empty() || column.find_first_not_of(allowed) != std::string::npos) {
      throw Error(ErrorCode::usage, fmt::format("metrics cannot have a column '{}'", column));
    }
    if (!seen.insert(column).second)
      throw Error(ErrorCode::usage, fmt::format("metrics have the column '{}' twice", column));
  }
}

std::string csv_header(std::vector<std::string> columns) {
  columns.insert(columns.begin(), "step");
  return files::csv_line(columns);
}

std::string csv_cell(const MetricsCell& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return files::number_text(*number);
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? *text : std::string();
}

std::string json_cell(const MetricsCell& cell) {
  if (const auto* number = std::get_if<double>(&cell))
    return std::isfinite(*number) ? files::number_text(*number) : "null";
  return files::JsonValue(std::get<std::string>(cell)).text();
}

/// The step that a line begins with; JSON lines begin with a key that is passed over.
std::uint64_t step_of(std::string_view line, std::string_view prefix, const fs::path& path) {
  std::uint64_t step = 0;
  const char* begin = line.data() + prefix.size();
  if (line.starts_with(prefix)) {
    const char* line_end = line.data() + line.size();
    const auto [end, error] = std::from_chars(begin, line_end, step);
    if (error == std::errc() && (end == line_end || *end == ',' || *end == '}')) return step;
  }
  throw files::data_error(path, fmt::format("has a line that begins with no step: '{}'", line.substr(0, 40)));
}

/// The whole lines up to a step. A last line without an end was cut off when the run was.
std::string lines_until(std::string_view text, std::string_view prefix, std::uint64_t last_step,
                        const fs::path& path) {
  std::string kept;
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return kept;
    if (step_of(text.substr(0, end), prefix, path) <= last_step) kept += text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  }
}

std::string read_if_there(const fs::path& path) {
  std::error_code code;
  return fs::exists(path, code) ? files::read_text_file(path, largest_log) : std::string();
}

files::Descriptor open_log(const fs::path& path, int flags) {
  files::Descriptor descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0666));
  if (!descriptor.is_open()) throw files::io_error(path, "open", errno);
  return descriptor;
}

}  // namespace

MetricsLog::MetricsLog(const fs::path& folder, std::vector<std::string> columns)
    : columns_(std::move(columns)), csv_path_(folder / "metrics.csv"), jsonl_path_(folder / "metrics.jsonl") {
  check_columns(columns_);
  csv_ = open_log(csv_path_, O_CREAT | O_EXCL);
  jsonl_ = open_log(jsonl_path_, O_CREAT | O_EXCL);
  files::write_fully(csv_.number(), files::as_bytes(csv_header(columns_)), csv_path_);
}

MetricsLog MetricsLog::resume(const fs::path& folder, std::vector<std::string> columns,
                              std::uint64_t last_step) {
  check_columns(columns);
  MetricsLog log;
  log.columns_ = std::move(columns);
  log.csv_path_ = folder / "metrics.csv";
  log.jsonl_path_ = folder / "metrics.jsonl";
  const std::string header = csv_header(log.columns_);
  std::string csv = read_if_there(log.csv_path_);
  if (!csv.empty() && csv.find('\n') != std::string::npos && !csv.starts_with(header)) {
    throw files::data_error(
        log.csv_path_, fmt::format("has the columns {}, but this run has {}", csv.substr(0, csv.find('\n')),
                                   header.substr(0, header.size() - 1)));
  }
  csv.erase(0, std::min(header.size(), csv.size()));
  const std::string jsonl = read_if_there(log.jsonl_path_);
  files::write_text_file(log.csv_path_, header + lines_until(csv, "", last_step, log.csv_path_));
  files::write_text_file(log.jsonl_path_, lines_until(jsonl, json_step, last_step, log.jsonl_path_));
  log.csv_ = open_log(log.csv_path_, 0);
  log.jsonl_ = open_log(log.jsonl_path_, 0);
  return log;
}

void MetricsLog::append(std::uint64_t step, std::span<const MetricsCell> cells) {
  if (cells.size() != columns_.size()) {
    throw Error(ErrorCode::usage,
                fmt::format("{} metrics are given for {} columns", cells.size(), columns_.size()));
  }
  std::vector<std::string> fields{files::number_text(step)};
  std::string json = fmt::format("{}{}", json_step, step);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    fields.push_back(csv_cell(cells[i]));
    if (!std::holds_alternative<std::monostate>(cells[i]))
      json += fmt::format(",\"{}\":{}", columns_[i], json_cell(cells[i]));
  }
  // One write for each line, so that a reader or an interruption sees whole rows.
  files::write_fully(csv_.number(), files::as_bytes(files::csv_line(fields)), csv_path_);
  files::write_fully(jsonl_.number(), files::as_bytes(json + "}\n"), jsonl_path_);
}

}  // namespace graphrun::train
