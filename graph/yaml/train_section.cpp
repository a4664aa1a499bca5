#include "graph/yaml/train_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "graph/yaml/nearest.hpp"
#include "graph/yaml/phase_section.hpp"
#include "graph/yaml/section_reader.hpp"

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
  if (const auto seed = reader.count("seed", 0)) spec.seed = static_cast<std::uint64_t>(*seed);
  if (const YamlNode* list = reader.find("phases")) {
    read_phases(*list, phases, spec, diagnostics);
  } else {
    phases.check(section, spec);
    spec.phases.push_back(spec);
  }
  return spec;
}

void resolve_data_paths(YamlNode& document, const Sources& sources) {
  YamlNode* data = document.find("data");
  if (data == nullptr) return;
  for (YamlEntry& part : data->entries) {
    for (YamlEntry& file : part.value.entries) {
      YamlNode& path = file.value;
      if (!path.is_scalar() || path.text.empty()) continue;
      const std::string& source = sources.name(path.place.source);
      const std::filesystem::path folder =
          source == "--set" ? std::filesystem::path() : std::filesystem::path(source).parent_path();
      path.text = std::filesystem::absolute(folder / path.text).lexically_normal().string();
    }
  }
}

std::optional<DataSpec> read_data(const YamlNode& section, Expander& expander) {
  Diagnostics& diagnostics = expander.diagnostics();
  DataSpec spec;
  spec.where = diagnostics.sources().location(section.place);
  SectionReader reader(section, expander);
  if (section.is_scalar()) {
    const std::optional<Value> name = expander.value(expander.top(), section);
    if (!name) return std::nullopt;
    if (name->text() == nullptr) {
      reader.wrong(section, fmt::format("`data:` is the name of a data set, not {}", described(*name)));
      return std::nullopt;
    }
    spec.name = *name->text();
    return spec;
  }
  if (!section.is_mapping()) {
    reader.wrong(section, fmt::format("`data:` names a data set or files, not {}", describe_kind(section)),
                 "Write {train: {images: FILE, labels: FILE}, test: {images: FILE}}.");
    return std::nullopt;
  }
  static const std::vector<std::string> known = {"train", "test"};
  if (!check_keys(section, "`data`", known, diagnostics)) return std::nullopt;
  if (section.find("train") == nullptr && !section.entries.empty()) {
    reader.wrong(section, "`data:` names no files to train on", "Write {train: {images: FILE}}.");
  }
  for (const YamlEntry& part : section.entries) {
    if ((part.key != "train" && part.key != "test") || part.value.is_empty()) continue;
    if (!part.value.is_mapping()) {
      reader.wrong(part.value, fmt::format("`{}:` names files, not {}", part.key, describe_kind(part.value)),
                   "Write {images: FILE, labels: FILE}.");
      continue;
    }
    static const std::vector<std::string> files = {"images", "labels"};
    check_keys(part.value, fmt::format("`data.{}`", part.key), files, diagnostics);
    if (part.value.find("images") == nullptr)
      reader.wrong(part.value, fmt::format("`data.{}` names no images", part.key));
    DataSpec::Files paths;
    for (const YamlEntry& file : part.value.entries) {
      if (!file.value.is_scalar()) {
        if (!file.value.is_empty())
          reader.wrong(file.value,
                       fmt::format("`{}:` is a path, not {}", file.key, describe_kind(file.value)));
        continue;
      }
      (file.key == "images" ? paths.images : paths.labels) = file.value.text;
    }
    (part.key == "train" ? spec.train : spec.test) = std::move(paths);
  }
  return spec;
}

}  // namespace graphrun
