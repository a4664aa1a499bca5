#include "train/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "train/file.hpp"
#include "train/number_text.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_file = std::uint64_t{1} << 30;
constexpr std::size_t most_columns = 100'000;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// A finite number and nothing else.
std::optional<float> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Goes through the lines of a table.
class CsvReader {
 public:
  CsvReader(std::string_view text, const fs::path& path) : rest_(text), path_(path) {
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    while (!rest_.empty() && (rest_.back() == '\n' || rest_.back() == '\r')) rest_.remove_suffix(1);
  }

  CsvTable read() {
    CsvTable table;
    while (!rest_.empty()) read_line(table);
    if (table.rows == 0) throw data_error(path_, "holds no rows of numbers");
    return table;
  }

 private:
  [[noreturn]] void fail(const std::string& message, std::size_t column) const {
    throw Error(ErrorCode::data, message, {path_.string(), line_, static_cast<int>(column)});
  }

  std::string_view next_line() {
    ++line_;
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  void read_line(CsvTable& table) {
    const std::string_view line = next_line();
    if (const std::size_t quote = line.find('"'); quote != std::string_view::npos) {
      fail("quotes are not read; write plain numbers", quote + 1);
    }
    const std::vector<std::string_view> fields = split(line);
    if (line_ == 1) table.columns = fields.size();
    if (fields.size() != table.columns) {
      fail(fmt::format("this line has {} fields, the first has {}", fields.size(), table.columns), 1);
    }
    if (line_ == 1 && is_header(fields)) {
      table.names.assign(fields.begin(), fields.end());
      return;
    }
    for (const std::string_view field : fields) {
      const std::optional<float> value = parse_number(field);
      if (!value) {
        fail(fmt::format("'{}' is no finite number", field.substr(0, 40)),
             static_cast<std::size_t>(field.data() - line.data()) + 1);
      }
      table.values.push_back(*value);
    }
    ++table.rows;
  }

  std::vector<std::string_view> split(std::string_view line) const {
    std::vector<std::string_view> fields;
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t comma = std::min(line.find(',', begin), line.size());
      const std::string_view field = trimmed(line.substr(begin, comma - begin));
      // An empty field still has a place in the line, for errors.
      fields.push_back(field.empty() ? line.substr(begin, 0) : field);
      if (fields.size() > most_columns) fail(fmt::format("more than {} columns", most_columns), begin + 1);
      begin = comma + 1;
    }
    return fields;
  }

  /// A header has no number in it; a line with some is a row with a mistake.
  static bool is_header(const std::vector<std::string_view>& fields) {
    for (const std::string_view field : fields) {
      if (field.empty() || parse_number(field)) return false;
    }
    return true;
  }

  std::string_view rest_;
  const fs::path& path_;
  int line_ = 0;
};

}  // namespace

void write_csv(const fs::path& path, std::span<const std::string> names, std::size_t columns,
               std::span<const float> values) {
  const bool names_fit = names.empty() || names.size() == columns;
  if (columns == 0 || !names_fit || values.size() % columns != 0) {
    throw Error(ErrorCode::usage, fmt::format("{} names and {} values do not fit a table of {} columns",
                                              names.size(), values.size(), columns));
  }
  std::string text;
  for (const std::string& name : names) text += name + ",";
  if (!text.empty()) text.back() = '\n';
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += number_text(values[i]);
    text += (i + 1) % columns == 0 ? '\n' : ',';
  }
  write_text_file(path, text);
}

CsvTable read_csv(const fs::path& path) {
  const std::string text = read_text_file(path, largest_file);
  return CsvReader(text, path).read();
}

}  // namespace graphrun::train
