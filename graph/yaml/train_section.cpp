#include "graph/yaml/train_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "graph/optimizer_kind.hpp"
#include "graph/yaml/nearest.hpp"

namespace graphrun {
namespace {

/// Reads the keys of one mapping; what is wrong is reported with its place.
class SectionReader {
 public:
  SectionReader(const YamlNode& section, Expander& expander) : section_(section), expander_(expander) {}

  const YamlNode* find(const char* key) const {
    const YamlNode* node = section_.find(key);
    return node != nullptr && !node->is_empty() ? node : nullptr;
  }
  void wrong(const YamlNode& at, const std::string& message, std::string fix = {}) {
    expander_.diagnostics().error(at.place, message, std::move(fix));
  }
  std::optional<Value> value(const char* key) {
    const YamlNode* node = find(key);
    return node == nullptr ? std::nullopt : expander_.value(expander_.top(), *node);
  }
  std::optional<std::int64_t> count(const char* key, std::int64_t least) {
    const std::optional<Value> read = value(key);
    if (!read) return std::nullopt;
    const std::int64_t* integer = read->integer();
    if (integer != nullptr && *integer >= least) return *integer;
    wrong(*find(key), integer != nullptr ? fmt::format("'{}' is at least {}, not {}", key, least, *integer)
                                         : fmt::format("'{}' is an integer, not {}", key, described(*read)));
    return std::nullopt;
  }
  std::optional<Schedule> schedule(const char* key) {
    const YamlNode* node = find(key);
    const std::optional<Value> read = value(key);
    if (!read) return std::nullopt;
    if (read->schedule() != nullptr) return *read->schedule();
    const std::optional<double> number = read->number();
    if (number && *number >= 0) return Schedule::constant(*number);
    static const std::vector<std::string> schedules = {"linear", "cosine", "step", "warmup"};
    const bool mapping = read->mapping() != nullptr && read->mapping()->size() == 1;
    wrong(*node,
          number ? fmt::format("'{}' is not negative", key)
                 : fmt::format("'{}' is a number or a schedule, not {}", key, described(*read)),
          mapping ? suggestion(read->mapping()->front().key, schedules) : "");
    return std::nullopt;
  }
  std::optional<double> positive(const char* key) {
    const std::optional<Value> read = value(key);
    if (!read) return std::nullopt;
    const std::optional<double> number = read->number();
    if (number && *number > 0) return number;
    wrong(*find(key), fmt::format("'{}' is a number greater than 0, not {}", key, described(*read)));
    return std::nullopt;
  }
  /// A list of names, each of which `known` must take.
  template <class Known>
  std::vector<std::string> names(const char* key, const Known& known,
                                 const std::vector<std::string>& candidates, const std::string& what) {
    const YamlNode* node = find(key);
    if (node == nullptr) return {};
    if (!node->is_sequence()) {
      wrong(*node, fmt::format("`{}:` is a list of names, not {}", key, describe_kind(*node)),
            node->is_scalar() ? fmt::format("Write {}: [{}].", key, node->text) : "");
      return {};
    }
    std::vector<std::string> result;
    for (const YamlNode& item : node->items) {
      if (item.is_scalar() && known(item.text)) {
        result.push_back(item.text);
      } else {
        wrong(item,
              item.is_scalar() ? fmt::format("there is no {} '{}'", what, item.text)
                               : fmt::format("a name is expected, not {}", describe_kind(item)),
              item.is_scalar() ? suggestion(item.text, candidates) : "");
      }
    }
    return result;
  }

 private:
  const YamlNode& section_;
  Expander& expander_;
};

void read_setting(OptimizerSpec& spec, const OptimizerSetting& setting, SectionReader& reader) {
  const std::string name(setting.name);
  const std::optional<Value> read = reader.value(name.c_str());
  if (!read) return;
  const YamlNode& node = *reader.find(name.c_str());
  if (setting.flag) {
    if (read->flag() == nullptr)
      return reader.wrong(node, fmt::format("'{}' is true or false, not {}", name, described(*read)));
    spec.settings[name] = *read->flag() ? 1 : 0;
    return;
  }
  const std::optional<double> number = read->number();
  if (!number) return reader.wrong(node, fmt::format("'{}' is a number, not {}", name, described(*read)));
  if (*number < setting.low || *number >= setting.below) {
    return reader.wrong(node, std::isinf(setting.below)
                                  ? fmt::format("'{}' is at least {}, not {}", name, setting.low, *number)
                                  : fmt::format("'{}' is at least {} and less than {}, not {}", name,
                                                setting.low, setting.below, *number));
  }
  spec.settings[name] = *number;
}

OptimizerSpec read_optimizer(const YamlNode& section, Expander& expander) {
  OptimizerSpec spec;
  Diagnostics& diagnostics = expander.diagnostics();
  spec.where = diagnostics.sources().location(section.place);
  YamlNode named = section;
  if (section.is_scalar()) {  // `optimizer: adam`
    named = {};
    named.kind = YamlNode::Kind::mapping;
    named.place = section.place;
    named.entries.push_back({"op", section.place, section});
  }
  SectionReader reader(named, expander);
  const YamlNode* op = reader.find("op");
  std::vector<std::string> kinds;
  for (const OptimizerKind& kind : optimizer_kinds()) kinds.emplace_back(kind.name);
  if (op == nullptr) {
    diagnostics.error(named.place, "the optimizer has no `op:`", fmt::format("{}", suggestion("", kinds)));
    return spec;
  }
  const std::optional<Value> name = reader.value("op");
  if (!name) return spec;
  const OptimizerKind* kind = find_optimizer(to_string(*name));
  if (kind == nullptr) {
    reader.wrong(*op, fmt::format("there is no optimizer '{}'", to_string(*name)),
                 suggestion(to_string(*name), kinds));
    return spec;
  }
  spec.op = kind->name;
  spec.learning_rate = Schedule::constant(kind->learning_rate);
  std::vector<std::string> known = {"op", "lr", "clip_value", "clip_norm"};
  for (const OptimizerSetting& setting : kind->settings) known.emplace_back(setting.name);
  check_keys(named, fmt::format("the optimizer {}", kind->name), known, diagnostics);
  if (const std::optional<Schedule> rate = reader.schedule("lr")) spec.learning_rate = *rate;
  for (const OptimizerSetting& setting : kind->settings) read_setting(spec, setting, reader);
  spec.clip_value = reader.positive("clip_value");
  spec.clip_norm = reader.positive("clip_norm");
  return spec;
}

bool refuse_later_keys(const YamlNode& section, Diagnostics& diagnostics) {
  bool found = false;
  for (const YamlEntry& entry : section.entries) {
    const bool later = entry.key == "phases" || entry.key == "greedy" || entry.key == "alternate" ||
                       entry.key == "subset" || entry.key == "draws" || entry.key == "same_as" ||
                       entry.key == "start";
    if (!later) continue;
    diagnostics.error(entry.place, fmt::format("'{}' is not in this version yet", entry.key),
                      "Train in one phase: optimizer, batch, epochs.");
    found = true;
  }
  return found;
}

}  // namespace

std::optional<TrainSpec> read_train(const YamlNode& section, const std::vector<std::string>& terms,
                                    Expander& expander) {
  Diagnostics& diagnostics = expander.diagnostics();
  if (!section.is_mapping()) {
    diagnostics.error(section.place,
                      fmt::format("`train:` holds named entries, not {}", describe_kind(section)),
                      "Write e.g. train: {optimizer: {op: adam}, batch: 128, epochs: 10}.");
    return std::nullopt;
  }
  if (refuse_later_keys(section, diagnostics)) return std::nullopt;
  static const std::vector<std::string> known = {"optimizer", "batch",   "epochs", "steps",
                                                 "seed",      "partial", "train",  "loss"};
  check_keys(section, "`train`", known, diagnostics);
  TrainSpec spec;
  spec.where = diagnostics.sources().location(section.place);
  SectionReader reader(section, expander);
  if (const YamlNode* optimizer = reader.find("optimizer")) {
    if (optimizer->is_sequence()) {
      reader.wrong(*optimizer, "`optimizer:` is one optimizer, not a list", "Write {op: adam, lr: 1.0e-3}.");
    } else {
      spec.optimizer = read_optimizer(*optimizer, expander);
    }
  }
  if (const auto batch = reader.count("batch", 1)) spec.batch = *batch;
  spec.epochs = reader.count("epochs", 1);
  spec.steps = reader.count("steps", 1);
  const YamlNode* steps = reader.find("steps");
  if ((reader.find("epochs") == nullptr) == (steps == nullptr)) {
    diagnostics.error(
        steps != nullptr ? steps->place : section.place,
        steps != nullptr ? "`epochs` and `steps` cannot both be given" : "how long to train is not said",
        steps != nullptr ? "Leave one out." : "Write epochs: 10, or steps: 1000.");
  }
  if (const auto seed = reader.count("seed", 0)) spec.seed = static_cast<std::uint64_t>(*seed);
  if (const YamlNode* partial = reader.find("partial")) {
    static const std::vector<std::string> choices = {"keep", "drop"};
    if (partial->text != "keep" && partial->text != "drop") {
      reader.wrong(*partial, fmt::format("`partial:` is keep or drop, not {}", describe_kind(*partial)),
                   suggestion(partial->text, choices));
    }
    spec.keep_partial = partial->text == "keep";
  }
  std::vector<std::string> owners;
  for (const auto& [name, node] : expander.parameters()) {
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      owners.push_back(name.substr(0, dot));
    }
    owners.push_back(name);
  }
  const auto owns = [&owners](const std::string& name) {
    return std::find(owners.begin(), owners.end(), name) != owners.end();
  };
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  spec.train = reader.names("train", owns, owners, "node with parameters");
  const auto is_term = [&terms](const std::string& name) {
    return std::find(terms.begin(), terms.end(), name) != terms.end();
  };
  spec.loss = reader.names("loss", is_term, terms, "term of the loss");
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
