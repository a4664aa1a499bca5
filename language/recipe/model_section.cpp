#include "language/recipe/model_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "errors/nearest.hpp"
#include "language/recipe/keys.hpp"

namespace graphrun {
namespace {

class SpecReader {
 public:
  explicit SpecReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Spec model(YamlNode document);
  NodeSpec node(const std::string& name, const Place& place, const YamlNode& value);
  std::vector<BlockSpec> blocks(const YamlNode* section, bool standard);

 private:
  void error(const Place& place, std::string message, std::string fix = {}) {
    diagnostics_.error(place, std::move(message), std::move(fix));
  }
  std::vector<YamlEntry> entries(const YamlNode* section, std::string_view key, std::string_view example);
  bool usable_name(const std::string& name, const Place& place, std::string_view what);
  std::string text(const YamlNode* node, std::string_view key);
  void version(const YamlNode& document);
  bool operation(NodeSpec& spec, const YamlNode& value);
  std::vector<NodeSpec> nodes(const YamlNode* section, std::string_view key);
  std::vector<TermSpec> terms(const YamlNode* section, std::string_view key);
  std::vector<ProbeDeclaration> probes(const YamlNode* metrics);
  std::optional<TermSpec> term(const YamlEntry& entry, std::string_view section);
  std::vector<InputDeclaration> inputs(const YamlNode* section);
  BlockSpec block(const YamlEntry& entry, bool standard);
  void read_ranges(const YamlNode* section, BlockSpec& spec);
  std::vector<BlockSpec::Name> names(const YamlNode& node, std::string_view what);

  Diagnostics& diagnostics_;
};

/// The entries of a section that must be a mapping; none when it is missing. Reports those without a value.
std::vector<YamlEntry> SpecReader::entries(const YamlNode* section, std::string_view key,
                                           std::string_view example) {
  if (section == nullptr || section->is_empty()) return {};
  if (section->is_mapping()) {
    std::vector<YamlEntry> result;
    for (const YamlEntry& entry : section->entries) {
      if (entry.value.is_empty()) {
        error(entry.place, fmt::format("'{}' has no value", entry.key), "Write one, or leave the key out.");
      }
      result.push_back(entry);
    }
    return result;
  }
  const bool glued = section->is_scalar() && section->text.find(':') != std::string::npos;
  error(section->place, fmt::format("`{}:` holds named entries, not {}", key, describe_kind(*section)),
        glued ? "Write a space after the colon." : fmt::format("Write e.g. `{}`.", example));
  return {};
}

bool SpecReader::usable_name(const std::string& name, const Place& place, std::string_view what) {
  static const std::vector<std::string> taken = {"batch", "true", "false", "null", "and",
                                                 "or",    "not",  "if",    "else"};
  if (!is_identifier(name)) {
    error(place, fmt::format("'{}' cannot name {}", name, what),
          "A name has letters, digits and _, and starts with a letter.");
    return false;
  }
  if (std::find(taken.begin(), taken.end(), name) == taken.end()) return true;
  error(place, fmt::format("'{}' has a meaning of its own and cannot name {}", name, what),
        "Choose another name.");
  return false;
}

std::string SpecReader::text(const YamlNode* node, std::string_view key) {
  if (node == nullptr || node->is_empty()) return {};
  if (node->is_scalar()) return node->text;
  error(node->place, fmt::format("`{}:` is a text, not {}", key, describe_kind(*node)));
  return {};
}

void SpecReader::version(const YamlNode& document) {
  const YamlNode* version = document.find("graphrun");
  if (version == nullptr) {
    error(document.place, "the file does not say which version of the model language it is in",
          "Start it with `graphrun: 1`.");
  } else if (!version->is_scalar() || version->text != "1") {
    error(version->place,
          fmt::format("graphrun reads version 1 of the model language, not {}", describe_kind(*version)),
          "Write `graphrun: 1`.");
  }
}

Spec SpecReader::model(YamlNode document) {
  Spec spec;
  spec.start = document.place;
  if (!document.is_mapping()) {
    if (spec.start.line == 0) spec.start = {document.place.source, 1, 1};
    error(spec.start,
          document.is_empty() ? "the file holds no model" : "a model file is a mapping of sections",
          "Start it with `graphrun: 1`.");
    return spec;
  }
  check_keys(document, section_of("model"), diagnostics_);
  version(document);
  spec.name = text(document.find("name"), "name");
  spec.about = text(document.find("about"), "about");
  for (const YamlEntry& entry : entries(document.find("vars"), "vars", "vars: {units: 30}")) {
    if (usable_name(entry.key, entry.place, "a value")) spec.vars.push_back(entry);
  }
  if (const YamlNode* data = document.find("data")) spec.data = *data;
  spec.inputs = inputs(document.find("inputs"));
  spec.nodes = nodes(document.find("nodes"), "nodes");
  spec.blocks = blocks(document.find("blocks"), false);
  for (const YamlEntry& entry : entries(document.find("outputs"), "outputs", "outputs: {code: enc}")) {
    if (!usable_name(entry.key, entry.place, "an output")) continue;
    spec.outputs.push_back(node(entry.key, entry.place, entry.value));
  }
  spec.loss = terms(document.find("loss"), "loss");
  const YamlNode* metrics = document.find("metrics");
  spec.probes = probes(metrics);
  spec.metrics = terms(metrics, "metrics");
  if (const YamlNode* train = document.find("train")) spec.train = *train;
  spec.document = std::move(document);
  return spec;
}

std::vector<NodeSpec> SpecReader::nodes(const YamlNode* section, std::string_view key) {
  std::vector<NodeSpec> result;
  for (const YamlEntry& entry : entries(section, key, "enc: {op: dense, in: x, units: 30}")) {
    if (!usable_name(entry.key, entry.place, "a node")) continue;
    result.push_back(node(entry.key, entry.place, entry.value));
  }
  return result;
}

NodeSpec SpecReader::node(const std::string& name, const Place& place, const YamlNode& value) {
  NodeSpec spec;
  spec.name = name;
  spec.place = place;
  if (value.is_scalar() || is_schedule(value)) {
    spec.kind = value.is_scalar() ? NodeSpec::Kind::formula : NodeSpec::Kind::schedule;
    spec.value = value;
    return spec;
  }
  spec.kind = NodeSpec::Kind::call;
  if (value.is_sequence()) {
    error(value.place, fmt::format("'{}' is a list; a node is a formula or {{op: …, in: …}}", name));
    spec.kind = NodeSpec::Kind::broken;
  } else if (!value.is_mapping() || !operation(spec, value)) {
    spec.kind = NodeSpec::Kind::broken;
  }
  return spec;
}

/// `{op: NAME, in: …, …}`; false when something is wrong.
bool SpecReader::operation(NodeSpec& spec, const YamlNode& value) {
  const YamlNode* op = value.find("op");
  if (op == nullptr) {
    const std::string nearest = nearest_name("op", value.keys());
    error(value.place, fmt::format("node '{}' does not say which op it is", spec.name),
          nearest.empty() ? "Write {op: NAME, in: …}." : fmt::format("Is '{}' meant to be 'op'?", nearest));
    return false;
  }
  bool whole = true;
  for (const YamlEntry& entry : value.entries) {
    if (!entry.value.is_empty()) continue;
    error(entry.place, fmt::format("'{}' has no value", entry.key), "Write one, or leave the key out.");
    whole = false;
  }
  if (!op->is_scalar() && !op->is_empty()) {
    error(op->place, fmt::format("`op:` is the name of an op or block, not {}", describe_kind(*op)));
    whole = false;
  }
  spec.op = *op;
  spec.inputs_place = op->place;
  for (const YamlEntry& entry : value.entries) {
    if (entry.key == "in") {
      spec.inputs_place = entry.value.place;
      if (entry.value.is_sequence()) {
        spec.inputs = entry.value.items;
      } else {
        spec.inputs.push_back(entry.value);
      }
    } else if (entry.key == "params") {
      spec.params = entry.value;
    } else if (entry.key == "repeat") {
      spec.repeat = entry.value;
    } else if (entry.key != "op") {
      spec.attributes.push_back(entry);
    }
  }
  for (const YamlNode& input : spec.inputs) {
    if (input.is_scalar() || input.is_empty()) continue;
    error(input.place, fmt::format("an input is a node or a formula, not {}", describe_kind(input)),
          "Give what you want here a name of its own under `nodes:`.");
    whole = false;
  }
  return whole;
}

std::vector<InputDeclaration> SpecReader::inputs(const YamlNode* section) {
  std::vector<InputDeclaration> result;
  for (const YamlEntry& entry : entries(section, "inputs", "x: {shape: [batch, 784]}")) {
    if (!usable_name(entry.key, entry.place, "an input")) continue;
    if (!entry.value.is_mapping()) {
      result.push_back({entry.key, entry.place, {}, {}, true});
      if (!entry.value.is_empty()) {
        error(entry.value.place,
              fmt::format("input '{}' needs a shape, not {}", entry.key, describe_kind(entry.value)),
              fmt::format("Write `{}: {{shape: [batch, 784]}}`, or {{from: labels}}.", entry.key));
      }
      continue;
    }
    InputDeclaration input{entry.key, entry.place, {}, {}, false};
    input.broken = !check_keys(entry.value, section_of("input"), diagnostics_);
    if (const YamlNode* shape = entry.value.find("shape")) input.shape = *shape;
    if (const YamlNode* from = entry.value.find("from")) input.from = *from;
    result.push_back(std::move(input));
  }
  return result;
}

std::vector<TermSpec> SpecReader::terms(const YamlNode* section, std::string_view key) {
  std::vector<TermSpec> result;
  for (const YamlEntry& entry : entries(section, key, "reconstruction: {op: mse, in: [recon, x]}")) {
    if (!usable_name(entry.key, entry.place, key == "loss" ? "a term" : "a metric")) continue;
    if (key == "metrics" && entry.value.find("probe") != nullptr) continue;
    if (std::optional<TermSpec> read = term(entry, key)) result.push_back(std::move(*read));
  }
  return result;
}

std::vector<ProbeDeclaration> SpecReader::probes(const YamlNode* metrics) {
  std::vector<ProbeDeclaration> result;
  if (metrics == nullptr) return result;
  for (const YamlEntry& entry : metrics->entries)
    if (entry.value.find("probe") != nullptr) result.push_back({entry.key, entry.place, entry.value});
  return result;
}

std::optional<TermSpec> SpecReader::term(const YamlEntry& entry, std::string_view section) {
  TermSpec result;
  YamlNode rest = entry.value;
  if (const YamlNode* probe = rest.find("probe"); probe != nullptr && section == "loss") {
    error(probe->place, "a probe is measured, never trained: it cannot be a term of the loss",
          "Move it to `metrics:`.");
    return std::nullopt;
  }
  const bool schedule = is_schedule(rest);
  if (rest.is_mapping() && !schedule) {
    for (auto [key, target] : {std::pair{"weight", &result.weight}, std::pair{"reduce", &result.reduce}}) {
      const auto found = std::find_if(rest.entries.begin(), rest.entries.end(),
                                      [key = key](const YamlEntry& e) { return e.key == key; });
      if (found == rest.entries.end()) continue;
      if (section == "metrics" && found->key == "weight") {
        error(found->place, "a metric has no weight: it is measured, never trained", "Leave it out.");
      } else if (found->value.is_empty()) {
        error(found->place, fmt::format("'{}' has no value", key), "Write one, or leave the key out.");
      } else {
        *target = found->value;
      }
      rest.entries.erase(found);
    }
    if (const YamlNode* of = rest.find("of")) {
      check_keys(rest, section_of("term"), diagnostics_);
      rest = YamlNode(*of);
      if (!rest.is_scalar()) {
        if (!rest.is_empty())
          error(rest.place, fmt::format("`of:` is a formula, not {}", describe_kind(rest)));
        return std::nullopt;
      }
    } else if (rest.find("op") == nullptr) {
      std::vector<std::string> keys = rest.keys();
      const std::string nearest =
          nearest_name("of", keys).empty() ? nearest_name("op", keys) : nearest_name("of", keys);
      error(rest.place, fmt::format("'{}' does not say what is measured", entry.key),
            nearest.empty() ? "Write {op: mse, in: [recon, x]} or {of: FORMULA}."
                            : fmt::format("Is '{}' meant to be 'op' or 'of'?", nearest));
      return std::nullopt;
    }
  }
  result.node = node(entry.key, entry.place, rest);
  return result;
}

std::vector<BlockSpec::Name> SpecReader::names(const YamlNode& given, std::string_view what) {
  std::vector<BlockSpec::Name> result;
  const std::vector<YamlNode> single = {given};
  for (const YamlNode& item : given.is_sequence() ? given.items : single) {
    if (item.is_scalar() && is_identifier(item.text)) {
      result.push_back({item.text, item.place});
    } else {
      error(item.place, fmt::format("{} is a name, not {}", what, describe_kind(item)));
    }
  }
  return result;
}

std::vector<BlockSpec> SpecReader::blocks(const YamlNode* section, bool standard) {
  std::vector<BlockSpec> result;
  for (const YamlEntry& entry : entries(section, "blocks", "blocks: {mlp: {in: [x], nodes: {…}, out: y}}")) {
    if (!usable_name(entry.key, entry.place, "a block")) continue;
    result.push_back(block(entry, standard));
  }
  return result;
}

BlockSpec SpecReader::block(const YamlEntry& entry, bool standard) {
  BlockSpec spec;
  spec.name = entry.key;
  spec.place = entry.place;
  if (!entry.value.is_mapping()) {
    if (!entry.value.is_empty()) {
      error(entry.value.place, fmt::format("a block is {{args: …, in: …, nodes: …, out: …}}, not {}",
                                           describe_kind(entry.value)));
    }
    spec.broken = true;
    return spec;
  }
  spec.broken = !check_keys(entry.value, section_of("block"), diagnostics_);
  spec.standard = standard;
  spec.about = text(entry.value.find("about"), "about");
  for (const YamlEntry& argument :
       entries(entry.value.find("args"), "args", "args: {units: required, act: relu}")) {
    if (!usable_name(argument.key, argument.place, "an argument")) continue;
    const bool required =
        argument.value.is_scalar() && argument.value.text == "required" && !argument.value.quoted;
    spec.argument_index.emplace(argument.key, spec.arguments.size());
    spec.arguments.push_back({argument.key, argument.place, required, argument.value});
  }
  read_ranges(entry.value.find("ranges"), spec);
  if (const YamlNode* in = entry.value.find("in"); in != nullptr && !in->is_empty()) {
    spec.inputs = names(*in, "an input of a block");
  }
  spec.nodes = nodes(entry.value.find("nodes"), "nodes");
  if (const YamlNode* reduce = entry.value.find("reduce")) spec.reduce = *reduce;
  const YamlNode* out = entry.value.find("out");
  if (out == nullptr) {
    error(entry.place, fmt::format("block '{}' does not say which of its nodes comes out", entry.key),
          "Write `out: NODE`.");
  } else if (!out->is_empty()) {
    spec.outputs = names(*out, "what comes out of a block");
  }
  spec.broken = spec.broken || spec.outputs.empty();
  return spec;
}

/// `ranges: {amount: "[0, 1)"}`
void SpecReader::read_ranges(const YamlNode* section, BlockSpec& spec) {
  for (const YamlEntry& entry : entries(section, "ranges", "ranges: {amount: \"[0, 1)\"}")) {
    const auto argument = std::ranges::find(spec.arguments, entry.key, &BlockSpec::Argument::name);
    if (argument == spec.arguments.end()) {
      std::vector<std::string> names;
      for (const BlockSpec::Argument& known : spec.arguments) names.push_back(known.name);
      error(entry.place, fmt::format("block '{}' has no argument '{}'", spec.name, entry.key),
            suggestion(entry.key, names));
      continue;
    }
    const std::optional<Range> range = entry.value.is_scalar() ? range_from(entry.value.text) : std::nullopt;
    if (range) {
      argument->range = *range;
    } else if (!entry.value.is_empty()) {
      error(entry.value.place, fmt::format("the range of '{}' is not one", entry.key),
            "Write \"[0, 1)\" for 0 to below 1, or \"(0, inf)\" for above 0.");
    }
  }
}

}  // namespace

NodeSpec read_call(const std::string& name, const YamlNode& value, Diagnostics& diagnostics) {
  return SpecReader(diagnostics).node(name, value.place, value);
}

Spec read_spec(YamlNode document, Diagnostics& diagnostics) {
  return SpecReader(diagnostics).model(std::move(document));
}

std::vector<BlockSpec> read_standard_blocks(const YamlNode& document, Diagnostics& diagnostics) {
  return SpecReader(diagnostics).blocks(document.find("blocks"), true);
}

}  // namespace graphrun
