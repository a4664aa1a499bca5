#include "train/datasets/tables/table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "errors/printable.hpp"
#include "files/file.hpp"

namespace graphrun::train {

namespace {

namespace fs = std::filesystem;

/// A line of texts and numbers may be a row, or a header in which years are names. Only of numbers is it a
/// row without doubt.
std::string note_on_missing_header(const files::CsvLines& lines, const files::CsvFields& first) {
  const auto is_number = [&](std::string_view field) { return lines.number(field).has_value(); };
  const auto number = std::ranges::find_if(first, is_number);
  const bool has_text = std::ranges::any_of(
      first, [&](std::string_view field) { return !files::is_missing_cell(field) && !is_number(field); });
  if (!has_text) return {};
  return fmt::format(
      "the first line is taken for a row, since {}: columns are called 0, 1, 2, …; if it holds their names, "
      "each has to be one, and no number",
      number == first.end() ? "a cell of it is empty" : fmt::format("'{}' is a number", printable(*number)));
}

}  // namespace

TableText::TableText(fs::path path) : path_(std::move(path)) {
  version_ = version();
  read_header();
}

TableText::TableText(std::string text, fs::path path) : path_(std::move(path)), text_(std::move(text)) {
  read_header();
}

/// Nothing is known of a file that is not there: reading it says so.
TableText::Version TableText::version() const {
  std::error_code ignored;
  return {fs::file_size(path_, ignored), fs::last_write_time(path_, ignored)};
}

void TableText::fail_changed() const {
  throw files::data_error(path_, "has changed while it was read");
}

std::unique_ptr<files::CsvPieces> TableText::open() const {
  if (text_) return std::make_unique<files::CsvPieces>(*text_, path_);
  if (version_ && version() != *version_) fail_changed();
  return std::make_unique<files::CsvPieces>(path_);
}

void TableText::read_header() {
  const std::unique_ptr<files::CsvPieces> pieces = open();
  files::CsvLines lines(pieces->text(), path_);
  if (lines.is_at_end()) throw files::data_error(path_, "holds no rows");
  const files::CsvFields& first = lines.next();
  const bool is_unnamed = first.size() > 1 && first.front().empty();
  const files::CsvFields named(first.begin() + (is_unnamed ? 1 : 0), first.end());
  const bool are_numbers = files::are_column_numbers(named);
  has_header_ = lines.is_header(named) || are_numbers;
  if (are_numbers && !is_unnamed)
    note_ = "the first line, 0, 1, 2, …, is taken for the names of columns, not for a row";
  if (!has_header_) note_ = note_on_missing_header(lines, first);
  for (std::size_t i = 0; i < first.size(); ++i)
    names_.push_back(has_header_ ? std::string(first[i]) : std::to_string(i));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (!seen.insert(names_[i]).second)
      lines.fail(fmt::format("two columns are called '{}': each needs a name of its own", names_[i]),
                 first[i]);
  if (has_header_ && lines.is_at_end() && pieces->is_last())
    throw files::data_error(path_, "holds no rows, only the names of columns");
}

}  // namespace graphrun::train
