#include "train/datasets/labels.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "errors/nearest.hpp"
#include "files/csv.hpp"
#include "files/file_kind.hpp"
#include "files/idx.hpp"
#include "files/npy.hpp"
#include "files/number_text.hpp"

namespace graphrun::train {

namespace {

namespace fs = std::filesystem;

template <class Number>
std::int32_t checked_number(Number number, std::size_t row, const fs::path& path) {
  const auto real = static_cast<double>(number);
  if (real >= 0 && real < static_cast<double>(most_classes)) return static_cast<std::int32_t>(number);
  throw files::data_error(
      path, fmt::format("holds the label {} in row {}; labels are whole numbers from 0 to {}", number, row,
                        most_classes - 1));
}

/// A whole number from 0: "7", and "7.0" as tables often write it.
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const bool is_whole = rest.empty() || (rest.front() == '.' && rest.find_first_not_of('0', 1) == rest.npos);
  return is_whole ? std::optional(value) : std::nullopt;
}

std::optional<std::vector<std::int32_t>> numbers_of(const std::vector<std::string>& texts,
                                                    const fs::path& path) {
  if (!std::all_of(texts.begin(), texts.end(), whole_number)) return std::nullopt;
  std::vector<std::int32_t> numbers;
  for (std::size_t row = 0; row < texts.size(); ++row)
    numbers.push_back(checked_number(*whole_number(texts[row]), row, path));
  return numbers;
}

/// 100.5 is no class: that 99.5, 100.5 and 250.25 became 0, 1 and 2 is what nobody means.
void require_classes(const std::vector<std::string>& texts, const fs::path& path) {
  const auto is_number = [](const std::string& text) { return files::number_in<double>(text).has_value(); };
  const auto fraction = std::ranges::find_if(texts, [](const std::string& text) {
    const std::optional<double> number = files::number_in<double>(text);
    return number && *number != std::floor(*number);
  });
  if (fraction == texts.end() || !std::ranges::all_of(texts, is_number)) return;
  throw files::data_error(
      path, fmt::format(
                "holds the label {} in row {}, and labels are classes: a number to learn is the target of a "
                "table, data: {{train: {{table: FILE}}, columns: {{target: NAME}}}}; classes that are called "
                "so are listed by `classes:`",
                *fraction, fraction - texts.begin()));
}

std::vector<std::string> sorted_names(const std::vector<std::string>& texts, const fs::path& path) {
  std::set<std::string> names;
  for (const std::string& text : texts) {
    names.insert(text);
    if (names.size() > most_names)
      throw files::data_error(
          path, fmt::format("has more than {} different labels, for instance '{}': is it another "
                            "column that holds the classes?",
                            most_names, text.substr(0, 40)));
  }
  return {names.begin(), names.end()};
}

std::vector<std::int32_t> places_in(const std::vector<std::string>& names,
                                    const std::vector<std::string>& texts, const fs::path& path) {
  std::map<std::string, std::int32_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) places[names[i]] = static_cast<std::int32_t>(i);
  std::vector<std::int32_t> numbers;
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const auto found = places.find(texts[row]);
    if (found == places.end())
      throw files::data_error(path,
                              fmt::format("has the label '{}' in row {}, which is none of the `classes:`. {}",
                                          texts[row].substr(0, 40), row, suggestion(texts[row], names)));
    numbers.push_back(found->second);
  }
  return numbers;
}

/// The first number becomes 0.
std::vector<std::int32_t> counted_from(std::int32_t first, std::vector<std::int32_t> numbers,
                                       const fs::path& path) {
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    if (numbers[row] < first)
      throw files::data_error(path,
                              fmt::format("holds the label {} in row {}, but `first: {}` says that they "
                                          "begin there",
                                          numbers[row], row, first));
    numbers[row] -= first;
  }
  return numbers;
}

/// Numbers that a file holds as such.
Labels labels_from_numbers(std::vector<std::int32_t> numbers, const LabelReading& reading,
                           const fs::path& path) {
  const std::vector<std::string>& classes = reading.classes;
  numbers = counted_from(reading.first, std::move(numbers), path);
  const auto count = static_cast<std::int32_t>(classes.size());
  for (std::size_t row = 0; !classes.empty() && row < numbers.size(); ++row)
    if (numbers[row] >= count)
      throw files::data_error(
          path, fmt::format("holds the label {} in row {}, but `classes:` names {}, 0 to {}", numbers[row],
                            row, count, count - 1));
  return {std::move(numbers), classes};
}

[[noreturn]] void no_labels(const fs::path& path, std::span<const std::size_t> shape) {
  throw files::data_error(path,
                          fmt::format("holds [{}] values, but labels, one for each image, are expected here; "
                                      "are images and labels exchanged?",
                                      fmt::join(shape, ", ")));
}

/// Whole numbers, of whatever type.
std::vector<std::int32_t> label_numbers(files::StoredType type, std::span<const std::byte> bytes,
                                        const fs::path& path) {
  std::vector<std::int32_t> numbers;
  files::for_each_element(type, bytes, [&](std::size_t row, auto number) {
    const auto real = static_cast<double>(number);
    if (real != std::floor(real) || !std::isfinite(real))
      throw files::data_error(path,
                              fmt::format("holds {} in row {}, but labels are whole numbers: save them with "
                                          ".astype('<i4')",
                                          number, row));
    numbers.push_back(checked_number(number, row, path));
  });
  return numbers;
}

std::vector<std::int32_t> idx_labels(const fs::path& path) {
  const files::IdxArray array = files::read_idx(path);
  if (array.shape.size() != 1) no_labels(path, array.shape);
  return label_numbers(array.type, std::as_bytes(std::span(array.values)), path);
}

void require_column(std::span<const std::size_t> shape, const fs::path& path) {
  const bool is_column = shape.size() == 2 && shape[1] == 1;
  if (shape.size() != 1 && !is_column) no_labels(path, shape);
}

Labels npy_labels(const fs::path& path, const LabelReading& reading) {
  const files::NpyContent content = files::read_npy_content(path);
  if (const auto* texts = std::get_if<files::NpyTexts>(&content)) {
    require_column(texts->shape, path);
    return labels_from_texts(texts->values, reading, path);
  }
  const auto& array = std::get<files::NpyArray>(content);
  require_column(array.shape, path);
  return labels_from_numbers(label_numbers(array.type, array.bytes, path), reading, path);
}

}  // namespace

Labels labels_from_texts(const std::vector<std::string>& texts, const LabelReading& reading,
                         const fs::path& path) {
  const std::vector<std::string>& classes = reading.classes;
  if (!classes.empty()) return {places_in(classes, texts, path), classes};
  if (std::optional<std::vector<std::int32_t>> numbers = numbers_of(texts, path))
    return {counted_from(reading.first, std::move(*numbers), path), {}};
  require_classes(texts, path);
  const std::vector<std::string> names = sorted_names(texts, path);
  return {places_in(names, texts, path), names};
}

Labels read_labels(const fs::path& path, const std::string& column, const LabelReading& reading) {
  switch (files::kind_of_file(path)) {
    case files::FileKind::idx:
      return labels_from_numbers(idx_labels(path), reading, path);
    case files::FileKind::npy:
      return npy_labels(path, reading);
    case files::FileKind::csv:
      return labels_from_texts(files::read_csv_column(path, column), reading, path);
    case files::FileKind::picture:
    case files::FileKind::folder:
      break;
  }
  throw files::data_error(path,
                          "holds no labels: these are read from IDX, NPY and CSV files, and the names of "
                          "sub-folders of pictures are labels by themselves");
}

}  // namespace graphrun::train
