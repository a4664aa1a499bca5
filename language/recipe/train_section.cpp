#include "language/recipe/train_section.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "language/recipe/keys.hpp"
#include "language/recipe/phase_section.hpp"
#include "language/recipe/section_reader.hpp"

namespace graphrun {
namespace {

/// The paths that `train: […]` may name: every parameter, and every node or block above one.
std::vector<std::string> owners_of_parameters(const Expander& expander) {
  std::vector<std::string> owners;
  for (const auto& [name, node] : expander.parameters()) {
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      owners.push_back(name.substr(0, dot));
    }
    owners.push_back(name);
  }
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  return owners;
}

std::vector<std::string> names_of(const std::vector<TermSpec>& terms) {
  std::vector<std::string> names;
  for (const TermSpec& term : terms) names.push_back(term.node.name);
  return names;
}

void read_phases(const YamlNode& list, PhaseReader& phases, TrainSpec& spec, Diagnostics& diagnostics) {
  if (!list.is_sequence()) {
    diagnostics.error(list.place, fmt::format("`phases:` is a list, not {}", describe_kind(list)),
                      "Write a line `- {name: …, epochs: …}` for each.");
    return;
  }
  for (const YamlNode& item : list.items) {
    if (const std::optional<PhaseSpec> phase = phases.read(item, spec, spec.phases))
      spec.phases.push_back(*phase);
  }
  if (list.items.empty())
    diagnostics.error(list.place, "`phases:` is empty", "Write at least one, or leave the key out.");
}

/// `pictures: {every: 5}`.
void read_pictures(const YamlNode& section, SectionReader& train, Expander& expander, TrainSpec& spec) {
  if (!section.is_mapping()) {
    return train.wrong(
        section,
        fmt::format("`pictures:` says how often pictures are drawn, it is {}", describe_kind(section)),
        "Write pictures: {every: 5}, in epochs.");
  }
  check_keys(section, section_of("pictures"), expander.diagnostics());
  SectionReader(section, expander).read(pictures_rows(), spec);
}

}  // namespace

std::optional<TrainSpec> read_train(const YamlNode& section, const Spec& model,
                                    const std::map<std::string, NodeId>& terms, Expander& expander) {
  Diagnostics& diagnostics = expander.diagnostics();
  if (!section.is_mapping()) {
    diagnostics.error(section.place,
                      fmt::format("`train:` holds named entries, not {}", describe_kind(section)),
                      "Write e.g. train: {optimizer: {op: adam}, batch: 128, epochs: 10}.");
    return std::nullopt;
  }
  TrainSpec spec;
  PhaseReader phases({owners_of_parameters(expander), names_of(model.loss), names_of(model.metrics), terms},
                     expander);
  phases.read_defaults(section, spec);
  SectionReader reader(section, expander);
  reader.read(train_rows(), spec);
  if (const YamlNode* pictures = reader.find("pictures")) read_pictures(*pictures, reader, expander, spec);
  if (const YamlNode* list = reader.find("phases")) {
    read_phases(*list, phases, spec, diagnostics);
  } else {
    phases.check(section, spec);
    spec.phases.push_back(spec);
  }
  return spec;
}

}  // namespace graphrun
