#include "language/recipe/optimizer_section.hpp"

#include <fmt/format.h>

#include <cmath>

#include "errors/nearest.hpp"
#include "language/recipe/optimizer_kind.hpp"
#include "language/recipe/section_reader.hpp"

namespace graphrun {
namespace {

void read_setting(OptimizerSpec& spec, const OptimizerSetting& setting, SectionReader& reader) {
  const std::string name(setting.name);
  if (setting.flag) {
    if (const std::optional<bool> flag = reader.flag(name.c_str())) spec.settings[name] = *flag ? 1 : 0;
    return;
  }
  const std::optional<Value> read = reader.value(name.c_str());
  if (!read) return;
  const YamlNode& node = *reader.find(name.c_str());
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

}  // namespace

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
  if (section.is_sequence()) {
    reader.wrong(section, "`optimizer:` is one optimizer, not a list", "Write {op: adam, lr: 1.0e-3}.");
    return spec;
  }
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

}  // namespace graphrun
