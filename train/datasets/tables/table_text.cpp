#include "train/datasets/tables/table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "errors/nearest.hpp"
#include "errors/printable.hpp"
#include "files/file.hpp"
#include "files/file_kind.hpp"
#include "train/datasets/tables/array_text.hpp"

namespace graphrun::train {

namespace {

namespace fs = std::filesystem;

bool has_numbers(const files::CsvLines& lines, const files::CsvFields& fields) {
  return std::ranges::any_of(fields, [&](std::string_view field) { return lines.number(field).has_value(); });
}

/// Of texts a line is a header, in which each column has a name.
void require_names(const files::CsvLines& lines, const files::CsvFields& named) {
  const bool has_text =
      std::ranges::any_of(named, [](std::string_view field) { return !files::is_missing_cell(field); });
  const auto empty = std::ranges::find(named, std::string_view());
  if (!has_text || empty == named.end() || has_numbers(lines, named)) return;
  lines.fail(
      "a column without a name: if this line holds the names of columns, each has to be one; if it is a "
      "row, put such a line in front",
      *empty);
}

/// A line of texts and numbers may be a row, or a header in which years are names. Only of numbers is it a
/// row without doubt.
std::string note_on_missing_header(const files::CsvLines& lines, const files::CsvFields& first) {
  const auto is_number = [&](std::string_view field) { return lines.number(field).has_value(); };
  const auto number = std::ranges::find_if(first, is_number);
  const bool has_text = std::ranges::any_of(
      first, [&](std::string_view field) { return !files::is_missing_cell(field) && !is_number(field); });
  if (!has_text || number == first.end()) return {};
  return fmt::format(
      "the first line is taken for a row, since '{}' is a number: columns are called 0, 1, 2, …; if it holds "
      "their names, each has to be one, and no number",
      printable(*number));
}

bool is_called_table(const fs::path& path) {
  const fs::path unpacked = files::has_ending(path, ".gz") ? path.stem() : path.filename();
  return files::has_ending(unpacked, ".csv") || files::has_ending(unpacked, ".tsv") ||
         files::has_ending(path, ".npy");
}

/// The tables in a folder, sorted by name. Names that begin with a dot are the system's own.
std::vector<fs::path> tables_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (is_called_table(path) && !path.filename().string().starts_with('.')) paths.push_back(path);
  }
  if (error) throw files::io_error(folder, "read the folder", error.value());
  std::ranges::sort(paths);
  return paths;
}

/// Where the columns of the table are among those of another of its files; none where they are in order.
std::vector<std::size_t> places_among(const std::vector<std::string>& names,
                                      const std::vector<std::string>& columns, const fs::path& path,
                                      const fs::path& first) {
  const auto fail = [&](const std::string& message) {
    throw Error(ErrorCode::data, message, {path.string(), 1, 1});
  };
  if (names == columns) return {};
  const std::set<std::string_view> known(columns.begin(), columns.end());
  std::map<std::string_view, std::size_t> place_of;
  for (std::size_t i = 0; i < names.size(); ++i) place_of.emplace(names[i], i);
  for (const std::string& name : names)
    if (!known.contains(name))
      fail(fmt::format("there is a column '{}', which {} has not: the files of a table have the same columns",
                       printable(name), first.filename().string()));
  std::vector<std::size_t> places;
  for (const std::string& column : columns) {
    const auto found = place_of.find(column);
    if (found == place_of.end())
      fail(fmt::format("there is no column '{}', which {} has. {}", printable(column),
                       first.filename().string(), suggestion(column, names)));
    places.push_back(found->second);
  }
  return places;
}

}  // namespace

bool is_table(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? !tables_in(path).empty()
                                         : files::kind_of_file(path) == files::FileKind::csv;
}

TableText::TableText(fs::path path) : path_(std::move(path)) {
  std::error_code ignored;
  if (!fs::is_directory(path_, ignored)) {
    add(path_);
    return;
  }
  const std::vector<fs::path> files = tables_in(path_);
  if (files.empty())
    throw files::data_error(
        path_,
        "is a folder without tables: files that end in .csv or .tsv, and maybe .gz, or in .npy are read");
  for (const fs::path& file : files) add(file);
}

TableText::TableText(std::string text, fs::path path) : path_(std::move(path)) {
  add({.path = path_, .text = std::move(text)});
}

void TableText::add(const fs::path& path) {
  if (is_array(path)) return add({.path = path, .text = text_of_array(path), .is_array = true});
  add({.path = path, .version = version_of(path)});
}

void TableText::add(File file) {
  std::vector<std::string> names = read_header(file);
  if (files_.empty())
    names_ = std::move(names);
  else
    file.places = places_among(names, names_, file.path, files_.front().path);
  files_.push_back(std::move(file));
}

/// Nothing is known of a file that is not there: reading it says so.
TableText::Version TableText::version_of(const fs::path& path) {
  std::error_code ignored;
  return {fs::file_size(path, ignored), fs::last_write_time(path, ignored)};
}

void TableText::fail_changed(const File& file) {
  throw files::data_error(file.path, "has changed while it was read");
}

std::vector<std::size_t> TableText::first_rows() const {
  std::vector<std::size_t> numbers;
  std::size_t rows = 0;
  for (const File& file : files_) {
    numbers.push_back(rows);
    rows += file.rows.value_or(0);
  }
  return numbers;
}

std::unique_ptr<files::CsvPieces> TableText::open(const File& file) const {
  if (file.text) return std::make_unique<files::CsvPieces>(*file.text, file.path);
  if (file.version && version_of(file.path) != *file.version) fail_changed(file);
  return std::make_unique<files::CsvPieces>(file.path);
}

std::vector<std::string> TableText::read_header(File& file) {
  const std::unique_ptr<files::CsvPieces> pieces = open(file);
  files::CsvLines lines(pieces->text(), file.path);
  if (lines.is_at_end()) throw files::data_error(file.path, "holds no rows");
  const files::CsvFields& first = lines.next();
  const bool is_unnamed = first.size() > 1 && first.front().empty();
  const files::CsvFields named(first.begin() + (is_unnamed ? 1 : 0), first.end());
  const bool are_numbers = files::are_column_numbers(named);
  if (!file.is_array) require_names(lines, named);
  file.has_header = !file.is_array && (lines.is_header(named) || are_numbers);
  std::string note;
  if (file.has_header && are_numbers && !is_unnamed)
    note = "the first line, 0, 1, 2, …, is taken for the names of columns, not for a row";
  if (!file.has_header && !file.is_array) note = note_on_missing_header(lines, first);
  if (note_.empty() && !note.empty())
    note_ = file.path == path_ ? note : fmt::format("{}: {}", file.path.filename().string(), note);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < first.size(); ++i)
    names.push_back(file.has_header ? std::string(first[i]) : std::to_string(i));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!seen.insert(names[i]).second)
      lines.fail(fmt::format("two columns are called '{}': each needs a name of its own", names[i]),
                 first[i]);
  if (file.has_header && lines.is_at_end() && pieces->is_last())
    throw files::data_error(file.path, "holds no rows, only the names of columns");
  return names;
}

const files::CsvFields& TableText::File::in_order(const files::CsvFields& fields,
                                                  files::CsvFields& ordered) const {
  if (places.empty()) return fields;
  ordered.clear();
  for (const std::size_t place : places) ordered.push_back(fields[place]);
  return ordered;
}

}  // namespace graphrun::train
