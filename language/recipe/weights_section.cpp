#include <fmt/format.h>

#include "language/recipe/section_reader.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

constexpr const char* example = "Write weights: FILE, or weights: {file: FILE, from: torch}.";
constexpr const char* map_example = "Write map: {MODULE: LAYER}.";

/// `{encoder.0: enc.0}`, "encoder.0=enc.0", or a list of such texts.
std::vector<std::string> read_map(const YamlNode& map, SectionReader& reader) {
  std::vector<std::string> entries;
  const auto add_text = [&](const YamlNode& node) {
    if (node.is_scalar() && node.text.find('=') != std::string::npos)
      entries.push_back(node.text);
    else
      reader.wrong(node, fmt::format("`map:` says which module is which layer, not {}", describe_kind(node)),
                   map_example);
  };
  if (!map.is_mapping() && !map.is_sequence()) add_text(map);
  for (const YamlNode& item : map.items) add_text(item);
  for (const YamlEntry& entry : map.entries) {
    if (entry.value.is_scalar())
      entries.push_back(fmt::format("{}={}", entry.key, entry.value.text));
    else
      reader.wrong(entry.value,
                   fmt::format("'{}' is a layer or variable of the model, not {}", entry.key,
                               describe_kind(entry.value)),
                   map_example);
  }
  return entries;
}

WeightsRecipe read_one(const YamlNode& node, Expansion& expansion) {
  SectionReader reader(node, expansion);
  WeightsRecipe recipe;
  recipe.where = reader.where();
  if (node.is_scalar()) {
    recipe.file = node.text;
    if (recipe.file.empty()) reader.wrong(node, "`weights:` names no file", example);
    return recipe;
  }
  const Section& section = section_of("weights");
  if (!reader.is_mapping("`weights:` names a file", example) || !reader.check(section)) return recipe;
  const YamlNode* file = reader.find("file");
  if (file == nullptr)
    reader.wrong(node, "`weights:` names no file", example);
  else if (!file->is_scalar())
    reader.wrong(*file, fmt::format("`file:` is a path, not {}", describe_kind(*file)));
  else
    recipe.file = file->text;
  recipe.from = reader.name("from", section.find("from")->words, "program").value_or("");
  if (const YamlNode* map = reader.find("map")) recipe.map = read_map(*map, reader);
  return recipe;
}

}  // namespace

std::vector<WeightsRecipe> read_weights(const YamlNode& section, Expansion& expansion) {
  if (!section.is_sequence()) return {read_one(section, expansion)};
  std::vector<WeightsRecipe> files;
  for (const YamlNode& item : section.items) files.push_back(read_one(item, expansion));
  return files;
}

}  // namespace graphrun
