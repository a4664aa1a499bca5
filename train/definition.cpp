#include "train/definition.hpp"

#include "graph/yaml/build.hpp"
#include "ops/list.hpp"
#include "ops/standard_blocks.hpp"

namespace graphrun::train {

namespace {

Language language() {
  return {.registry = &ops::registry(), .standard_blocks = ops::standard_blocks()};
}

}  // namespace

SharedDefinition load_definition(const std::string& path, std::span<const std::string> settings) {
  return std::make_shared<const ModelDefinition>(load_model(path, settings, language()));
}

SharedDefinition parse_definition(std::string_view text, const std::string& name,
                                  std::span<const std::string> settings) {
  return std::make_shared<const ModelDefinition>(parse_model(text, name, settings, language()));
}

}  // namespace graphrun::train
