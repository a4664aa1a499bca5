#include "cli/array_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "files/csv.hpp"
#include "files/file.hpp"
#include "files/npy.hpp"
#include "graphrun/error.hpp"

namespace graphrun::cli {

namespace {

bool is_csv(const std::string& path) {
  return std::filesystem::path(path).extension() == ".csv";
}

files::StoredType element_type(const train::OutputValues& output) {
  switch (output.type.dtype) {
    case DType::f32:
      return files::StoredType::f32;
    case DType::i32:
      return files::StoredType::i32;
    case DType::u8:
      return files::StoredType::u8;
    case DType::f64:
      return files::StoredType::f64;
    case DType::none:
      break;
  }
  throw Error(ErrorCode::usage, fmt::format("output '{}' has no value", output.name));
}

/// Rows of floats with a name, of equal lengths.
struct Part {
  const std::string& name;
  std::span<const float> values;
  std::size_t width = 0;
};

void write_csv_rows(const std::string& path, const train::OutputValues& output,
                    std::span<const std::int32_t> labels, std::span<const NamedRows> beside) {
  const auto rows = static_cast<std::size_t>(output.extents.front());
  std::vector<Part> parts{{output.name, train::as_floats(output)}};
  for (const NamedRows& more : beside) parts.push_back({more.name, more.values});
  std::vector<std::string> names;
  for (Part& part : parts) {
    part.width = rows == 0 ? 0 : part.values.size() / rows;
    for (std::size_t i = 0; i < part.width; ++i) names.push_back(fmt::format("{}_{}", part.name, i));
  }
  const bool has_labels = labels.size() == rows;
  if (has_labels) names.emplace_back(files::label_column);
  std::vector<float> table;
  table.reserve(rows * names.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (const Part& part : parts) {
      const std::span<const float> own = part.values.subspan(row * part.width, part.width);
      table.insert(table.end(), own.begin(), own.end());
    }
    if (has_labels) table.push_back(static_cast<float>(labels[row]));
  }
  files::write_csv(path, names, names.size(), table);
}

/// As bytes when they fit, which is what other programs expect of labels.
void write_labels(const std::string& path, std::span<const std::int32_t> labels) {
  const std::vector<std::size_t> count{labels.size()};
  if (*std::max_element(labels.begin(), labels.end()) > 255)
    return files::write_npy(path, files::StoredType::i32, count, std::as_bytes(labels));
  const std::vector<std::uint8_t> bytes(labels.begin(), labels.end());
  files::write_npy(path, files::StoredType::u8, count, std::as_bytes(std::span(bytes)));
}

RowTable rows_of(const files::CsvTable& table) {
  return {static_cast<std::int64_t>(table.rows), static_cast<std::int64_t>(table.columns), table.values};
}

/// The elements of an array, whatever their type; those of i32 are exact below 2^24.
RowTable rows_of(const files::NpyArray& array, const std::string& path) {
  if (array.shape.empty() || array.shape.front() == 0) throw files::data_error(path, "it holds no rows");
  RowTable result{static_cast<std::int64_t>(array.shape.front()), 0, files::as_f32(array.type, array.bytes)};
  result.columns = static_cast<std::int64_t>(result.values.size()) / result.rows;
  return result;
}

}  // namespace

void require_array_name(const std::string& path) {
  const std::string suffix = std::filesystem::path(path).extension();
  if (suffix != ".npy" && suffix != ".csv")
    throw Error(ErrorCode::usage, fmt::format("{}: the name must end in .npy or .csv", path));
}

void write_array(const std::string& path, const train::OutputValues& output,
                 std::span<const std::int32_t> labels, std::span<const NamedRows> beside) {
  if (is_csv(path)) return write_csv_rows(path, output, labels, beside);
  const std::vector<std::size_t> shape(output.extents.begin(), output.extents.end());
  files::write_npy(path, element_type(output), shape, output.bytes);
  if (labels.size() == static_cast<std::size_t>(output.extents.front()) && !labels.empty())
    write_labels(labels_path(path), labels);
}

ArrayRows::ArrayRows(const std::string& path, const train::OutputValues& like, std::size_t rows)
    : file_(path) {
  std::vector<std::size_t> shape(like.extents.begin(), like.extents.end());
  const std::size_t row_bytes = like.bytes.size() / shape.front();
  shape.front() = rows;
  file_.write(files::npy_header(element_type(like), shape, rows * row_bytes));
}

void ArrayRows::add(const train::OutputValues& block) {
  file_.write({reinterpret_cast<const std::uint8_t*>(block.bytes.data()), block.bytes.size()});
}

std::string labels_path(const std::string& path) {
  return std::filesystem::path(path).replace_extension(".labels.npy").string();
}

RowTable read_array(const std::string& path) {
  require_array_name(path);
  return is_csv(path) ? rows_of(files::read_csv(path, files::TextColumn{files::label_column, false}))
                      : rows_of(files::read_npy(path), path);
}

}  // namespace graphrun::cli
