#include "cli/output/table_output.hpp"

#include <fmt/format.h>

#include <set>

#include "errors/printable.hpp"
#include "graphrun/error.hpp"

namespace graphrun::cli {

void TableFlags::declare(Arguments& arguments) {
  arguments.option("--label", label, "COLUMN",
                   "a column that the model does not see and that says what rows are");
  arguments.option("--ignore", ignored, "COLUMN", "a column that is new to the model; repeatable");
}

train::TableQuery TableFlags::query(const train::TableText& text, const DataRecipe& data) const {
  return {.label = label.empty() ? train::own_label(text, data) : label, .ignored = ignored};
}

const DataRecipe& table_data_of(const ModelDefinition& model, std::string_view command) {
  if (model.data && model.data->table) return *model.data;
  throw Error(
      ErrorCode::usage,
      fmt::format("model '{}' has not learnt from a table (`data: {{train: {{table: FILE}}}}`), which "
                  "graphrun {} needs",
                  model.name, command));
}

std::string copied_cell(const files::CsvLines& lines, std::string_view field) {
  std::string cell(field);
  const bool has_comma = lines.separator() != ',' && cell.find(',') != std::string::npos;
  if (has_comma && lines.real(field)) cell[cell.find(',')] = '.';
  return cell;
}

std::vector<std::string> copied_row(const files::CsvLines& lines, const files::CsvFields& fields) {
  std::vector<std::string> row;
  for (const std::string_view field : fields) row.push_back(copied_cell(lines, field));
  return row;
}

void require_unique(const std::vector<std::string>& names, std::string_view fix) {
  std::set<std::string> seen;
  for (const std::string& name : names)
    if (!seen.insert(name).second)
      throw Error(ErrorCode::usage,
                  fmt::format("two columns would be called '{}': {}", printable(name), fix));
}

}  // namespace graphrun::cli
