#include "train/learn/definition.hpp"

#include <fmt/format.h>

#include "language/build.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "train/datasets/tables/fit_table.hpp"

namespace graphrun::train {

namespace {

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) result += letter == '\'' ? "''" : std::string(1, letter);
  return result + "'";
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + quoted(name);
  return list;
}

}  // namespace

const Language& language() {
  static const Language all{.registry = &ops::registry(),
                            .standard_blocks = ops::standard_blocks(),
                            .limits = {},
                            .fit_table = [](const DataRecipe& data) { return fit_table(data); }};
  return all;
}

SharedDefinition load_definition(const std::string& path, std::span<const std::string> settings) {
  return std::make_shared<const ModelDefinition>(load_model(path, settings, language()));
}

SharedDefinition parse_definition(std::string_view text, const std::string& name,
                                  std::span<const std::string> settings, const IncludeReader& reader) {
  return std::make_shared<const ModelDefinition>(parse_model(text, name, settings, language(), reader));
}

SharedDefinition with_class_names(SharedDefinition model, const Dataset& data) {
  if (!model->data || !model->data->name.empty()) return model;
  if (model->data->table && model->data->train->label_column.empty()) return model;
  std::vector<std::string> settings;
  if (model->data->classes.empty() && !data.train.class_names.empty())
    settings.push_back(fmt::format("data.classes=[{}]", listed(data.train.class_names)));
  if (model->data->names.empty() && !data.train.column_names.empty())
    settings.push_back(fmt::format("data.names=[{}]", listed(data.train.column_names)));
  if (settings.empty()) return model;
  const SharedDefinition named = parse_definition(model->resolved, model->name, settings);
  // All else stays: mistakes that show later are at their places in the file that a person wrote.
  ModelDefinition result = *model;
  result.data->classes = named->data->classes;
  result.data->names = named->data->names;
  result.resolved = named->resolved;
  return std::make_shared<const ModelDefinition>(std::move(result));
}

}  // namespace graphrun::train
