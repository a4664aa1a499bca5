#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "language/recipe/phase_section.hpp"
#include "language/recipe/section_reader.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

std::vector<std::string> names_of(const std::vector<TermDeclaration>& terms) {
  std::vector<std::string> names;
  for (const TermDeclaration& term : terms) names.push_back(term.node.name);
  return names;
}

void read_phases(const YamlNode& list, PhaseReader& phases, TrainRecipe& recipe, Diagnostics& diagnostics) {
  if (!list.is_sequence()) {
    diagnostics.error(list.place, fmt::format("`phases:` is a list, not {}", describe_kind(list)),
                      "Write a line `- {name: …, epochs: …}` for each.");
    return;
  }
  for (const YamlNode& item : list.items) {
    constexpr std::size_t keys = 16;
    diagnostics.budget().spend(Resource::elements,
                               keys + recipe.train.size() + recipe.loss.size());  // inherited
    if (const std::optional<PhaseRecipe> phase = phases.read(item, recipe, recipe.phases))
      recipe.phases.push_back(*phase);
  }
  if (list.items.empty())
    diagnostics.error(list.place, "`phases:` is empty", "Write at least one, or leave the key out.");
}

/// `pictures: {every: 5}`.
void read_pictures(const YamlNode& section, Expansion& expansion, TrainRecipe& recipe) {
  SectionReader reader(section, expansion);
  if (!section.is_mapping())
    return reader.wrong(
        section,
        fmt::format("`pictures:` says how often pictures are drawn, it is {}", describe_kind(section)),
        "Write pictures: {every: 5}, in epochs.");
  reader.check(section_of("pictures"));
  reader.read(pictures_rows, recipe);
}

}  // namespace

std::optional<TrainRecipe> read_train(const YamlNode& section, const ModelDefinition& model,
                                      Expansion& expansion) {
  const ModelDeclaration& declared = expansion.declared;
  SectionReader reader(section, expansion);
  if (!reader.is_mapping("`train:` holds named entries",
                         "Write e.g. train: {optimizer: {op: adam}, batch: 128, epochs: 10}."))
    return std::nullopt;
  TrainRecipe train;
  PhaseReader phases(
      {expansion.names.owners, names_of(declared.loss), names_of(declared.metrics), model.loss}, expansion);
  phases.read_defaults(section, train);
  reader.read(train_rows, train);
  if (const YamlNode* pictures = reader.find("pictures")) read_pictures(*pictures, expansion, train);
  if (const YamlNode* list = reader.find("phases")) {
    read_phases(*list, phases, train, expansion.diagnostics);
  } else {
    phases.check(section, train);
    train.phases.push_back(train);
  }
  return train;
}

}  // namespace graphrun
