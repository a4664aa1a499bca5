#include "train/datasets/load_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

#include "errors/lack_of_memory.hpp"
#include "errors/nearest.hpp"
#include "errors/printable.hpp"
#include "files/memory_error.hpp"
#include "files/number_text.hpp"
#include "train/datasets/labels.hpp"
#include "train/datasets/row_weights.hpp"
#include "train/datasets/tables/table_split.hpp"
#include "train/datasets/tables/table_survey.hpp"
#include "train/datasets/tables/table_text.hpp"
#include "train/datasets/tables/time_text.hpp"

namespace graphrun::train {

namespace {

namespace fs = std::filesystem;

/// Texts of many rows and few kinds.
class TextColumn {
 public:
  void add(std::string_view text) {
    auto known = known_.find(text);
    if (known == known_.end()) {
      known = known_.emplace(std::string(text), static_cast<std::uint32_t>(values_.size())).first;
      values_.emplace_back(text);
      counts_.push_back(0);
    }
    places_.push_back(known->second);
    ++counts_[known->second];
  }
  std::size_t rows() const { return places_.size(); }
  const std::vector<std::string>& values() const { return values_; }    ///< each once
  const std::vector<std::size_t>& counts() const { return counts_; }    ///< of each value
  const std::vector<std::uint32_t>& places() const { return places_; }  ///< of each row, among the values

 private:
  std::map<std::string, std::uint32_t, std::less<>> known_;
  std::vector<std::string> values_;
  std::vector<std::size_t> counts_;
  std::vector<std::uint32_t> places_;
};

/// Rows become examples one by one.
class RowCollector {
 public:
  RowCollector(const DataRecipe& data, std::size_t cells)
      : is_masked_(data.table->missing != MissingCells::refuse) {
    for (const FittedColumn& column : data.table->fitted)
      if (column.use != FittedColumn::Use::cells && column.use != FittedColumn::Use::ignored)
        others_.push_back({&column, {}});
    set_.height = 1;
    set_.width = cells;
    set_.channels = 1;
    set_.are_pictures = false;
    set_.is_table = true;
  }

  void add(const CodedRow& row) {
    values_.append(row.cells);
    if (is_masked_) mask_.append(row.mask);
    for (std::size_t i = 0; i < others_.size(); ++i) others_[i].values.push_back(row.others[i]);
    if (row.has_unknown) ++unknown_;
    ++set_.count;
  }
  void add_label(std::string_view label) { labels_.add(label); }
  std::size_t unknown() const { return unknown_; }

  const TextColumn& labels() const { return labels_; }

  ImageSet take(const fs::path& path, const std::vector<std::string>& classes) {
    set_.values = values_.take();
    set_.mask = mask_.take();
    if (labels_.rows() > 0) set_labels(path, classes);
    for (Other& other : others_) take_column(other, path);
    take_targets();
    return std::move(set_);
  }

 private:
  /// A column that is no mere cell. NaN: the table has no value.
  struct Other {
    const FittedColumn* column = nullptr;
    std::vector<float> values;
  };

  void set_labels(const fs::path& path, const std::vector<std::string>& classes) {
    Labels labels = labels_from_texts(labels_.values(), {.classes = classes}, path);
    set_.labels.reserve(labels_.rows());
    for (const std::uint32_t place : labels_.places()) set_.labels.push_back(labels.numbers[place]);
    set_.class_names = std::move(labels.names);
  }

  /// What is not there in every row is left away: who needs it is told.
  void take_column(Other& other, const fs::path& path) {
    if (set_.count == 0 || std::ranges::any_of(other.values, [](float value) { return std::isnan(value); }))
      return;
    if (other.column->use == FittedColumn::Use::weight) {
      set_.weights = with_mean_one(std::move(other.values), path);
    } else if (other.column->is_category) {
      set_.columns[other.column->name].numbers.assign(other.values.begin(), other.values.end());
    } else {
      set_.columns[other.column->name].values = std::move(other.values);
    }
  }

  /// A single category is the label, numbers stand side by side.
  void take_targets() {
    std::vector<const SideValues*> numbers;
    std::size_t targets = 0;
    for (const Other& other : others_) {
      if (!other.column->is_target()) continue;
      ++targets;
      const auto part = set_.columns.find(other.column->name);
      if (part == set_.columns.end()) continue;
      set_.target_columns.push_back(other.column->name);
      if (!other.column->is_category) numbers.push_back(&part->second);
    }
    if (targets == 0) return;
    if (numbers.size() == targets)
      for (std::size_t row = 0; row < set_.count; ++row)
        for (const SideValues* part : numbers) set_.targets.push_back(part->values[row]);
    const auto only =
        std::ranges::find_if(others_, [](const Other& other) { return other.column->is_target(); });
    if (targets > 1 || !only->column->is_category) return;
    set_.class_names = only->column->values;
    const auto part = set_.columns.find(only->column->name);
    if (part != set_.columns.end()) set_.labels = part->second.numbers;
  }

  bool is_masked_;
  std::vector<Other> others_;
  ImageSet set_;
  StoredWriter<float> values_;
  StoredWriter<float> mask_;
  TextColumn labels_;
  std::size_t unknown_ = 0;
};

using LabelCounts = std::map<std::string, std::size_t>;

LabelCounts label_counts(std::span<const RowCollector> parts) {
  LabelCounts counts;
  for (const RowCollector& part : parts)
    for (std::size_t i = 0; i < part.labels().values().size(); ++i)
      counts[part.labels().values()[i]] += part.labels().counts()[i];
  return counts;
}

/// Numbers speak for themselves; what is wrong with them is told where they are read.
bool are_numbers(const LabelCounts& counts) {
  const auto all = [&](const auto& is) {
    return std::ranges::all_of(counts, [&](const auto& one) { return is(one.first); });
  };
  const auto is_index = [](const std::string& text) { return files::parse_index(text).has_value(); };
  const auto is_positive = [](const std::string& text) {
    return files::number_in<double>(text).value_or(-1) >= 0;
  };
  return counts.size() == 2 ? all(is_index) : all(is_positive);
}

/// The names of labels in the order of their numbers, in all parts alike: first those that the model knows,
/// the others sorted, but of two the rarer is 1, which is what is looked for. None where labels are numbers.
std::vector<std::string> classes_in(std::span<const RowCollector> parts,
                                    const std::vector<std::string>& known) {
  const LabelCounts counts = label_counts(parts);
  const bool knows_some =
      std::ranges::any_of(known, [&](const std::string& name) { return counts.contains(name); });
  std::vector<std::string> names;
  if (knows_some) names = known;
  if (!knows_some && (counts.size() > most_names || are_numbers(counts))) return {};
  for (const auto& [name, count] : counts)
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  if (!knows_some && names.size() == 2 && counts.at(names[0]) < counts.at(names[1]))
    std::swap(names[0], names[1]);
  return names;
}

std::size_t place_of(const TableText& table, const std::string& column) {
  return static_cast<std::size_t>(std::ranges::find(table.names(), column) - table.names().begin());
}

/// Columns that stand in the model's own files, though it does not see them.
std::vector<std::string> own_columns(const DataRecipe& data) {
  std::vector<std::string> names;
  for (const std::optional<DataRecipe::Files>& part : {data.train, data.test})
    if (part && !part->label_column.empty()) names.push_back(part->label_column);
  for (const TableRecipe::Named& column : data.table->ignored) names.push_back(column.name);
  return names;
}

void require_label(const TableText& table, const std::string& label) {
  if (label.empty() || place_of(table, label) < table.names().size()) return;
  throw files::data_error(table.path(), fmt::format("has no column '{}' of labels. {}", printable(label),
                                                    suggestion(label, table.names())));
}

/// Goes through a table: `part_of(row)` says which collector gets a row.
template <class PartOf>
void collect(const TableText& table, const DataRecipe& data, const TableReading& reading,
             const std::string& label, std::span<RowCollector> collectors, const PartOf& part_of) {
  const RowCoder coder(data.table->fitted, reading, table.names(), table.path());
  const std::size_t label_at = label.empty() ? table.names().size() : place_of(table, label);
  CodedRow row;
  std::size_t number = 0;
  table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
    coder.encode(lines, fields, row);
    RowCollector& collector = collectors[part_of(number++)];
    collector.add(row);
    if (label_at >= fields.size()) return;
    if (files::is_missing_cell(fields[label_at]))
      lines.fail(fmt::format("a label is missing in '{}'", printable(label)), fields[label_at]);
    collector.add_label(fields[label_at]);
  });
}

std::size_t cells_in(const DataRecipe& data) {
  return static_cast<std::size_t>(cells_of(data.table->fitted));
}

/// `known`: names of labels that have a number already.
ImageSet read_whole(const TableText& table, const DataRecipe& data, const TableReading& reading,
                    const std::string& label, const std::vector<std::string>& known) {
  require_label(table, label);
  RowCollector rows(data, cells_in(data));
  collect(table, data, reading, label, std::span(&rows, 1), [](std::size_t) { return 0; });
  ImageSet set = rows.take(table.path(), classes_in(std::span(&rows, 1), known));
  if (!table.note().empty()) set.notes.push_back(fmt::format("{}: {}", table.path().string(), table.note()));
  return set;
}

/// A test file may have a label that the training file has not, and the other way round.
TableReading own_reading(const DataRecipe& data) {
  return {.missing = data.table->missing,
          .needs_target = true,
          .refuses_unknown = true,
          .also = own_columns(data)};
}

/// Only values of rows to learn from are known: a rare one may be in other rows alone.
std::string note_on_unknown(std::span<const RowCollector> parts) {
  std::size_t rows = 0;
  for (const RowCollector& part : parts) rows += part.unknown();
  return rows == 0 ? std::string()
                   : fmt::format(
                         "{} of the rows kept for measuring {} a category that no row to learn from has: "
                         "its cells are all 0, and for an input it stands for the first one",
                         rows, rows == 1 ? "has" : "have");
}

/// Hands the cells of a column over, row by row; none where no column is named.
template <class Take>
void for_each_cell(const TableText& table, const std::optional<TableRecipe::Named>& column,
                   const Take& take) {
  if (!column) return;
  const std::size_t place = place_of(table, column->name);
  if (place == table.names().size())
    throw Error(
        ErrorCode::data,
        fmt::format("there is no column '{}', by which rows are put in order", printable(column->name)),
        {table.path().string(), 1, 1});
  table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
    if (files::is_missing_cell(fields[place])) lines.fail(no_order_in(column->name), fields[place]);
    take(lines, fields[place]);
  });
}

std::vector<std::string> groups_of(const TableText& table, const std::optional<TableRecipe::Named>& column) {
  std::vector<std::string> groups;
  for_each_cell(table, column,
                [&](const files::CsvLines&, std::string_view field) { groups.emplace_back(field); });
  return groups;
}

std::vector<double> times_of(const TableText& table, const std::optional<TableRecipe::Named>& column) {
  std::vector<double> times;
  for_each_cell(table, column, [&](const files::CsvLines& lines, std::string_view field) {
    const std::optional<double> time = time_in(field);
    if (!time) lines.fail(no_time_in(field, column->name), field);
    times.push_back(*time);
  });
  return times;
}

/// Each file of a table is a series, or holds several.
void part_by_files(std::vector<std::string>& groups, const TableText& table, std::size_t rows) {
  const std::vector<std::size_t> begins = table.first_rows();
  if (begins.size() < 2) return;
  groups.resize(rows);
  std::size_t file = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    while (file + 1 < begins.size() && begins[file + 1] <= row) ++file;
    groups[row] = fmt::format("{} {}", file, groups[row]);
  }
}

Series series_in(const TableText& table, const TableRecipe& recipe, std::size_t rows,
                 std::span<const std::uint8_t> parts) {
  std::vector<std::string> groups = groups_of(table, recipe.windows->group);
  part_by_files(groups, table, rows);
  return series_of({std::move(groups), times_of(table, recipe.windows->time)}, rows, parts);
}

/// Two machines that are measured at once look like one that jumps.
std::string note_on_equal_times(const Series& series, const TableRecipe& recipe) {
  if (series.equal_times == 0) return {};
  return fmt::format("{} of the rows have the time of another{}", series.equal_times,
                     recipe.windows->group ? " of their series"
                                           : ": if the table holds several series, say by which column they "
                                             "are told apart, windows: {by: COLUMN, …}");
}

WindowSizes window_sizes(const TableRecipe::Windows& windows) {
  return {static_cast<std::size_t>(windows.size), static_cast<std::size_t>(windows.ahead)};
}

void require_windows(const ImageSet& set, const fs::path& path, std::int64_t size) {
  if (set.count > 0) return;
  throw files::data_error(
      path, fmt::format("has no {} rows of one series behind each other, as a window takes", size));
}

/// Rows that are chosen one by one seldom stand behind each other.
void note_lost_parts(Dataset& dataset, const TableRecipe::Split& split, const fs::path& path,
                     std::size_t rows) {
  for (const auto& [share, set, word] : {std::tuple(split.validation, &dataset.validation, "validation"),
                                         std::tuple(split.test, &dataset.test, "test")})
    if (share > 0 && set->count == 0)
      dataset.notes.push_back(
          fmt::format("{}: there are no {} data: of the rows that `split:` keeps, no {} stand behind each "
                      "other in one series, as a window takes; keep more, or choose them by time or by group",
                      path.string(), word, rows));
}

/// The rows of each part as windows; no window holds rows of two parts. What is measured is measured on every
/// window: so scores of held-out rows are means over as many windows as those of new rows.
void take_windows(Dataset& dataset, const TableText& table, const TableRecipe& recipe,
                  std::span<const Part> parts, const ImageSet& rows) {
  const WindowSizes sizes = window_sizes(*recipe.windows);
  const std::span<const std::uint8_t> numbers(reinterpret_cast<const std::uint8_t*>(parts.data()),
                                              parts.size());
  const Series series = series_in(table, recipe, parts.size(), numbers);
  if (std::string note = note_on_equal_times(series, recipe); !note.empty())
    dataset.notes.push_back(fmt::format("{}: {}", table.path().string(), note));
  const auto of_part = [&](Part part, std::int64_t stride) {
    std::vector<std::size_t> starts = window_starts(series, sizes.whole(), static_cast<std::size_t>(stride));
    std::erase_if(starts, [&](std::size_t start) { return parts[series.order[start]] != part; });
    return windows_of(rows, series, starts, sizes);
  };
  dataset.train = of_part(Part::train, recipe.windows->stride);
  dataset.validation = of_part(Part::validation, 1);
  dataset.test = of_part(Part::test, 1);
  require_windows(dataset.train, table.path(), recipe.windows->size);
  note_lost_parts(dataset, recipe.split, table.path(), sizes.whole());
}

std::string kind_text(const FittedColumn& column) {
  const std::string use = column.is_target()                       ? "the target, "
                          : column.use == FittedColumn::Use::input ? "an input, "
                                                                   : "";
  if (column.use == FittedColumn::Use::ignored) return "ignored";
  if (column.use == FittedColumn::Use::weight) return "the weight";
  if (column.is_category) return fmt::format("{}a category of {}", use, column.values.size());
  return fmt::format("{}a number, {}", use, name_of(column.scale));
}

Dataset read_table_data(const DataRecipe& data) {
  const TableText table(fs::path(data.train->images));
  const TableRecipe::Split& split = data.table->split;
  const std::string& label = data.train->label_column;
  require_label(table, label);
  const TableSurvey surveyed = survey_rows(table, *data.table);
  const std::vector<Part> parts = parts_of(split, surveyed.rows, surveyed.split_values, surveyed.series);
  TableReading reading = own_reading(data);
  reading.refuses_unknown = false;
  std::vector<RowCollector> collectors;
  for (int part = 0; part < 3; ++part) collectors.emplace_back(data, cells_in(data));
  collect(table, data, reading, label, collectors,
          [&](std::size_t row) { return data.table->windows ? 0 : static_cast<std::size_t>(parts[row]); });
  Dataset dataset;
  dataset.name = name_of_file(data.train->images);
  for (std::string note : {table.note(), note_on_unknown(collectors)})
    if (!note.empty()) dataset.notes.push_back(fmt::format("{}: {}", table.path().string(), note));
  const std::vector<std::string> classes = classes_in(collectors, data.classes);
  if (data.table->windows) {
    take_windows(dataset, table, *data.table, parts, collectors[0].take(table.path(), classes));
  } else {
    dataset.train = collectors[0].take(table.path(), classes);
    dataset.validation = collectors[1].take(table.path(), classes);
    dataset.test = collectors[2].take(table.path(), classes);
  }
  if (!data.test) return dataset;
  const TableText test(fs::path(data.test->images));
  dataset.test = examples_of(test,
                             read_whole(test, data, own_reading(data), data.test->label_column,
                                        classes.empty() ? data.classes : classes),
                             *data.table);
  return dataset;
}

}  // namespace

Dataset load_table_data(const DataRecipe& data) {
  return saying_what_lacks([&] { return read_table_data(data); },
                           [&] { return files::memory_error(data.train->images); });
}

ImageSet examples_of(const TableText& table, ImageSet rows, const TableRecipe& recipe, bool foretelling) {
  if (!recipe.windows) return rows;
  WindowSizes sizes = window_sizes(*recipe.windows);
  if (foretelling) sizes.ahead = 0;
  const Series series = series_in(table, recipe, rows.count, {});
  ImageSet examples = windows_of(rows, series, window_starts(series, sizes.whole(), 1), sizes);
  require_windows(examples, table.path(), recipe.windows->size);
  return examples;
}

TableReading table_reading(const DataRecipe& data, const TableQuery& query) {
  TableReading reading = own_reading(data);
  reading.needs_target = query.needs_target;
  reading.also.insert(reading.also.end(), query.ignored.begin(), query.ignored.end());
  if (!query.label.empty()) reading.also.push_back(query.label);
  return reading;
}

ImageSet load_table(const TableText& table, const DataRecipe& data, const TableQuery& query) {
  return saying_what_lacks(
      [&] { return read_whole(table, data, table_reading(data, query), query.label, data.classes); },
      [&] { return files::memory_error(table.path()); });
}

ImageSet single_row(const CodedRow& row, const DataRecipe& data) {
  RowCollector rows(data, row.cells.size());
  rows.add(row);
  return rows.take({}, {});
}

std::string own_label(const TableText& table, const DataRecipe& data) {
  for (const std::optional<DataRecipe::Files>& part : {data.test, data.train})
    if (part && !part->label_column.empty() && place_of(table, part->label_column) < table.names().size())
      return part->label_column;
  return {};
}

std::string described(const std::vector<FittedColumn>& columns) {
  std::map<std::string, std::string> names;  // by what they are
  std::vector<std::string> kinds;            // in the order of the table
  for (const FittedColumn& column : columns) {
    const std::string kind = kind_text(column);
    std::string& list = names[kind];
    if (list.empty()) kinds.push_back(kind);
    list += fmt::format("{}{}", list.empty() ? "" : ", ",
                        column.name.empty() ? "(no name)" : printable(column.name));
  }
  std::string text;
  for (const std::string& kind : kinds)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", names[kind], kind);
  return text;
}

}  // namespace graphrun::train
