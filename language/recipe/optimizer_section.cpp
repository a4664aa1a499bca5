#include <fmt/format.h>

#include "errors/nearest.hpp"
#include "language/expand/other_names.hpp"
#include "language/recipe/section_reader.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

void read_setting(OptimizerRecipe& recipe, const Key& key, SectionReader& reader) {
  const std::string name(key.name);
  if (key.kind == KeyKind::flag) {
    if (const std::optional<bool> flag = reader.flag(key)) recipe.settings[name] = *flag ? 1 : 0;
  } else if (const std::optional<double> number = reader.number(key)) {
    recipe.settings[name] = *number;
  }
}

}  // namespace

OptimizerRecipe read_optimizer(const YamlNode& section, Expansion& expansion) {
  OptimizerRecipe recipe;
  Diagnostics& diagnostics = expansion.diagnostics;
  recipe.where = diagnostics.sources().location(section.place);
  YamlNode named = section;
  if (section.is_scalar()) {  // `optimizer: adam`
    named = {};
    named.kind = YamlNode::Kind::mapping;
    named.place = section.place;
    named.entries.push_back({"op", section.place, section});
  }
  SectionReader reader(named, expansion);
  if (section.is_sequence()) {
    reader.wrong(section, "`optimizer:` is one optimizer, not a list", "Write {op: adam, lr: 1.0e-3}.");
    return recipe;
  }
  const YamlNode* op = reader.find("op");
  std::vector<std::string> kinds;
  for (const OptimizerKind& kind : optimizer_kinds()) kinds.emplace_back(kind.name);
  if (op == nullptr) {
    diagnostics.error(named.place, "the optimizer has no `op:`", fmt::format("{}", suggestion("", kinds)));
    return recipe;
  }
  const std::optional<Value> name = reader.value("op");
  if (!name) return recipe;
  const OptimizerKind* kind = find_optimizer(to_string(*name));
  if (kind == nullptr) {
    const std::string elsewhere = known_elsewhere(NameOf::optimizer, to_string(*name));
    reader.wrong(*op, fmt::format("there is no optimizer '{}'", to_string(*name)),
                 elsewhere.empty() ? suggestion(to_string(*name), kinds) : elsewhere);
    return recipe;
  }
  recipe.op = kind->name;
  recipe.learning_rate = Schedule::constant(kind->learning_rate);
  check_keys(named, section_of(*kind), diagnostics);
  reader.read(optimizer_rows, recipe);
  for (const OptimizerSetting& setting : kind->settings) read_setting(recipe, key_of(setting), reader);
  return recipe;
}

}  // namespace graphrun
