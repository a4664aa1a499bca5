#include "train/datasets/tables/table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "errors/printable.hpp"
#include "files/file.hpp"

namespace graphrun::train {

TableText::TableText(std::filesystem::path path) : TableText(files::csv_text(path), path) {}

TableText::TableText(std::string text, std::filesystem::path path)
    : path_(std::move(path)), text_(std::move(text)) {
  const files::CsvLines kind(text_, path_);  // refuses files of other kinds
  require_text();
  read_header();
}

/// Names and categories are compared byte by byte: they have to be in one encoding.
void TableText::require_text() const {
  for (std::size_t at = 0; at < text_.size();) {
    const auto byte = static_cast<unsigned char>(text_[at]);
    const std::size_t length = byte < 0x80 ? 1 : utf8_length(text_, at);
    const bool is_text = length > 0 && byte != 0;
    at += length;
    if (is_text) continue;
    const auto before = std::string_view(text_).substr(0, at);
    const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
    const std::size_t start = before.find_last_of('\n') == before.npos ? 0 : before.find_last_of('\n') + 1;
    throw Error(ErrorCode::data,
                byte == 0
                    ? "holds a byte 0, so it is no text"
                    : fmt::format("the byte {:#04x} is not UTF-8: the file is in another encoding, most "
                                  "often Windows-1252 or Latin-1; save it as UTF-8, as with iconv -f "
                                  "WINDOWS-1252 -t UTF-8",
                                  byte),
                {path_.string(), line, static_cast<int>(at - start) + 1});
  }
}

void TableText::read_header() {
  files::CsvLines lines(text_, path_);
  if (lines.is_at_end()) throw files::data_error(path_, "holds no rows");
  const files::CsvFields& first = lines.next();
  const bool is_unnamed = first.size() > 1 && first.front().empty();
  const files::CsvFields named(first.begin() + (is_unnamed ? 1 : 0), first.end());
  const bool are_numbers = files::are_column_numbers(named);
  has_header_ = lines.is_header(named) || are_numbers;
  if (are_numbers && !is_unnamed)
    note_ = "the first line, 0, 1, 2, …, is taken for the names of columns, not for a row";
  for (std::size_t i = 0; i < first.size(); ++i)
    names_.push_back(has_header_ ? std::string(first[i]) : std::to_string(i));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (!seen.insert(names_[i]).second)
      lines.fail(fmt::format("two columns are called '{}': each needs a name of its own", names_[i]),
                 first[i]);
  if (has_header_ && lines.is_at_end())
    throw files::data_error(path_, "holds no rows, only the names of columns");
}

}  // namespace graphrun::train
