#include "train/learn/definition.hpp"

#include <fmt/format.h>

#include "language/build.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"

namespace graphrun::train {

namespace {

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) result += letter == '\'' ? "''" : std::string(1, letter);
  return result + "'";
}

}  // namespace

const Language& language() {
  static const Language all{.registry = &ops::registry(), .standard_blocks = ops::standard_blocks()};
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
  const std::vector<std::string>& names = data.train.class_names;
  if (!model->data || !model->data->name.empty() || !model->data->classes.empty() || names.empty())
    return model;
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + quoted(name);
  const std::vector<std::string> settings{fmt::format("data.classes=[{}]", list)};
  return parse_definition(model->resolved, model->name, settings);
}

}  // namespace graphrun::train
