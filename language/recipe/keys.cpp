#include "language/recipe/keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun {
namespace {

std::string text_of(bool value, const Key& key) {
  return key.words.empty() ? value ? "true" : "false" : key.words[value ? 0 : 1];
}
std::string text_of(const Schedule& value, const Key& /*key*/) {
  return to_string(value);
}
std::string text_of(Precision value, const Key& /*key*/) {
  return std::string(to_string(value));
}
template <class T>
std::string text_of(const T& value, const Key& /*key*/) {
  return fmt::format("{}", value);
}
template <class T>
std::string text_of(const std::optional<T>& /*value*/, const Key& /*key*/) {
  return {};
}

/// What a key is when it is not written is what its field starts as.
template <class Record>
Key complete(const Row<Record>& row) {
  Key key = row.key;
  const Record start{};
  const auto fill = [&key, &start](auto field) {
    if constexpr (!std::is_same_v<decltype(field), std::monostate>) key.fallback = text_of(start.*field, key);
  };
  if (key.fallback.empty() && !key.required) std::visit(fill, row.field);
  return key;
}

template <class... Record>
std::vector<Key> keys_of(const Rows<Record>&... rows) {
  std::vector<Key> keys;
  const auto append = [&keys](const auto& some) {
    for (const auto& row : some) keys.push_back(complete(row));
  };
  (append(rows), ...);
  return keys;
}

Section make_optimizer_section(const OptimizerKind& kind) {
  Section section{fmt::format("optimizer.{}", kind.name), fmt::format("the optimizer {}", kind.name),
                  "under `optimizer:`", keys_of(optimizer_rows)};
  for (const OptimizerSetting& setting : kind.settings) section.keys.push_back(key_of(setting));
  for (Key& key : section.keys)
    if (key.name == "lr") key.fallback = fmt::format("{}", kind.learning_rate);
  return section;
}

Section make_probe_section(const ProbeKind& kind) {
  Section section{fmt::format("probe.{}", kind.name), fmt::format("a probe {}", kind.name), "in a probe", {}};
  for (Key key : keys_of(probe_rows)) {
    const bool own = std::find(kind.settings.begin(), kind.settings.end(), key.name) != kind.settings.end();
    if (!own && key.name != "probe" && key.name != "in") continue;
    if (key.name == "k") key.fallback = kind.k > 0 ? std::to_string(kind.k) : "as many as there are labels";
    section.keys.push_back(std::move(key));
  }
  return section;
}

std::vector<Section> make_sections() {
  std::vector<Section> all = {
      {"train", "`train`", "under `train:`", keys_of(learning_rows, train_rows)},
      {"phase", "a phase", "in an entry of `phases:`", keys_of(phase_rows, learning_rows)},
      {"step", "a step of `alternate`", "in a step of `alternate:`", keys_of(step_rows)},
      {"subset", "`subset`", "under `subset:`", keys_of(subset_rows)},
      {"stop", "`stop`", "under `stop:`", keys_of(stop_rows)},
      {"pictures", "`pictures`", "under `pictures:`", keys_of(pictures_rows)},
      greedy_section,
      {"optimizer", "an optimizer", "under `optimizer:`", keys_of(optimizer_rows)}};
  for (const OptimizerKind& kind : optimizer_kinds()) all.push_back(make_optimizer_section(kind));
  all.push_back({"data", "`data`", "under `data:`", keys_of(data_rows)});
  for (const Section& section :
       {files_section, labels_section, weights_section, columns_section, numbers_section, split_section,
        windows_section, fitted_section, input_section, model_section, included_section, term_section,
        block_section, call_section})
    all.push_back(section);
  all.push_back({"probe", "a probe", "in a probe", {complete(probe_rows[0]), complete(probe_rows[1])}});
  for (const ProbeKind& kind : probe_kinds()) all.push_back(make_probe_section(kind));
  return all;
}

/// What stands beside `train:` is meant before what has the same name within `data:`.
std::vector<Section> model_before_data() {
  std::vector<Section> all = make_sections();
  const auto model = std::ranges::find(all, model_section.name, &Section::name);
  std::rotate(std::ranges::find(all, "data", &Section::name), model, model + 1);
  return all;
}

/// All sections, in the order in which a key is looked for that is misplaced in this one.
std::span<const Section> looked_through_from(const Section& section) {
  static const std::vector<Section> from_learning = model_before_data();
  const auto place = std::ranges::find(sections(), section.name, &Section::name);
  const auto data = std::ranges::find(sections(), "data", &Section::name);
  return place < data ? from_learning : sections();
}

}  // namespace

std::span<const Section> sections() {
  static const std::vector<Section> all = make_sections();
  return all;
}

const Section& section_of(std::string_view name) {
  for (const Section& section : sections())
    if (section.name == name) return section;
  throw Error(ErrorCode::internal, fmt::format("the language has no section '{}'", name));
}

const Section& section_of(const OptimizerKind& kind) {
  return section_of(fmt::format("optimizer.{}", kind.name));
}

const Section& section_of(const ProbeKind& kind) {
  return section_of(fmt::format("probe.{}", kind.name));
}

bool check_keys(const YamlNode& mapping, const Section& section, Diagnostics& diagnostics) {
  return check_keys(mapping, section, looked_through_from(section), diagnostics);
}

}  // namespace graphrun
