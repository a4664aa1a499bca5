#include "language/recipe/model_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "errors/nearest.hpp"
#include "language/recipe/keys.hpp"

namespace graphrun {
namespace {

/// A section whose name has a slip, which has been told, is read as what is meant: nothing follows from it.
void mend_section_names(YamlNode& document) {
  const Section& model = section_of("model");
  for (YamlEntry& entry : document.entries) {
    if (model.find(entry.key) != nullptr) continue;
    const std::string meant = nearest_name(entry.key, model.key_names());
    if (!meant.empty() && document.find(meant) == nullptr) entry.key = meant;
  }
}

class DeclarationReader {
 public:
  explicit DeclarationReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  ModelDeclaration model(YamlNode document);
  NodeDeclaration node(const std::string& name, const Place& place, const YamlNode& value);
  std::vector<BlockDeclaration> blocks(const YamlNode* section, bool standard);

 private:
  void error(const Place& place, std::string message, std::string fix = {}) {
    diagnostics_.error(place, std::move(message), std::move(fix));
  }
  std::vector<YamlEntry> entries(const YamlNode* section, std::string_view key, std::string_view example);
  bool usable_name(const std::string& name, const Place& place, std::string_view what);
  std::string text(const YamlNode* node, std::string_view key);
  void version(const YamlNode& document);
  bool operation(NodeDeclaration& declared, const YamlNode& value);
  std::vector<NodeDeclaration> nodes(const YamlNode* section, std::string_view key);
  std::vector<TermDeclaration> terms(const YamlNode* section, std::string_view key);
  std::vector<ProbeDeclaration> probes(const YamlNode* metrics);
  std::optional<TermDeclaration> term(const YamlEntry& entry, std::string_view section);
  std::vector<InputDeclaration> inputs(const YamlNode* section);
  BlockDeclaration block(const YamlEntry& entry, bool standard);
  void read_ranges(const YamlNode* section, BlockDeclaration& declared);
  std::vector<BlockDeclaration::Name> names(const YamlNode& node, std::string_view what);

  Diagnostics& diagnostics_;
};

/// The entries of a section that must be a mapping; none when it is missing. Reports those without a value.
std::vector<YamlEntry> DeclarationReader::entries(const YamlNode* section, std::string_view key,
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

bool DeclarationReader::usable_name(const std::string& name, const Place& place, std::string_view what) {
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

std::string DeclarationReader::text(const YamlNode* node, std::string_view key) {
  if (node == nullptr || node->is_empty()) return {};
  if (node->is_scalar()) return node->text;
  error(node->place, fmt::format("`{}:` is a text, not {}", key, describe_kind(*node)));
  return {};
}

void DeclarationReader::version(const YamlNode& document) {
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

ModelDeclaration DeclarationReader::model(YamlNode document) {
  ModelDeclaration declared;
  declared.start = document.place;
  if (!document.is_mapping()) {
    if (declared.start.line == 0) declared.start = {document.place.source, 1, 1};
    error(declared.start,
          document.is_empty() ? "the file holds no model" : "a model file is a mapping of sections",
          "Start it with `graphrun: 1`.");
    return declared;
  }
  if (!check_keys(document, section_of("model"), diagnostics_)) mend_section_names(document);
  version(document);
  declared.name = text(document.find("name"), "name");
  declared.about = text(document.find("about"), "about");
  for (const YamlEntry& entry : entries(document.find("vars"), "vars", "vars: {units: 30}")) {
    if (usable_name(entry.key, entry.place, "a value")) declared.vars.push_back(entry);
  }
  if (const YamlNode* data = document.find("data")) declared.data = *data;
  declared.inputs = inputs(document.find("inputs"));
  declared.nodes = nodes(document.find("nodes"), "nodes");
  declared.blocks = blocks(document.find("blocks"), false);
  for (const YamlEntry& entry : entries(document.find("outputs"), "outputs", "outputs: {code: enc}")) {
    if (!usable_name(entry.key, entry.place, "an output")) continue;
    declared.outputs.push_back(node(entry.key, entry.place, entry.value));
  }
  declared.loss = terms(document.find("loss"), "loss");
  const YamlNode* metrics = document.find("metrics");
  declared.probes = probes(metrics);
  declared.metrics = terms(metrics, "metrics");
  if (const YamlNode* train = document.find("train")) declared.train = *train;
  declared.document = std::move(document);
  return declared;
}

std::vector<NodeDeclaration> DeclarationReader::nodes(const YamlNode* section, std::string_view key) {
  std::vector<NodeDeclaration> result;
  for (const YamlEntry& entry : entries(section, key, "enc: {op: dense, in: x, units: 30}")) {
    if (!usable_name(entry.key, entry.place, "a node")) continue;
    result.push_back(node(entry.key, entry.place, entry.value));
  }
  return result;
}

NodeDeclaration DeclarationReader::node(const std::string& name, const Place& place, const YamlNode& value) {
  NodeDeclaration declared;
  declared.name = name;
  declared.place = place;
  if (value.is_scalar() || is_schedule(value)) {
    declared.kind = value.is_scalar() ? NodeDeclaration::Kind::formula : NodeDeclaration::Kind::schedule;
    declared.value = value;
    return declared;
  }
  declared.kind = NodeDeclaration::Kind::call;
  if (value.is_sequence()) {
    error(value.place, fmt::format("'{}' is a list; a node is a formula or {{op: …, in: …}}", name));
    declared.kind = NodeDeclaration::Kind::broken;
  } else if (!value.is_mapping() || !operation(declared, value)) {
    declared.kind = NodeDeclaration::Kind::broken;
  }
  return declared;
}

/// `{op: NAME, in: …, …}`; false when something is wrong.
bool DeclarationReader::operation(NodeDeclaration& declared, const YamlNode& value) {
  const YamlNode* op = value.find("op");
  if (op == nullptr) {
    const std::string nearest = nearest_name("op", value.keys());
    error(value.place, fmt::format("node '{}' does not say which op it is", declared.name),
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
  declared.op = *op;
  declared.inputs_place = op->place;
  for (const YamlEntry& entry : value.entries) {
    if (entry.key == "in") {
      declared.inputs_place = entry.value.place;
      if (entry.value.is_sequence()) {
        declared.inputs = entry.value.items;
      } else {
        declared.inputs.push_back(entry.value);
      }
    } else if (entry.key == "params") {
      declared.params = entry.value;
    } else if (entry.key == "repeat") {
      declared.repeat = entry.value;
    } else if (entry.key != "op") {
      declared.attributes.push_back(entry);
    }
  }
  for (const YamlNode& input : declared.inputs) {
    if (input.is_scalar() || input.is_empty()) continue;
    error(input.place, fmt::format("an input is a node or a formula, not {}", describe_kind(input)),
          "Give what you want here a name of its own under `nodes:`.");
    whole = false;
  }
  return whole;
}

std::vector<InputDeclaration> DeclarationReader::inputs(const YamlNode* section) {
  std::vector<InputDeclaration> result;
  for (const YamlEntry& entry : entries(section, "inputs", "x: {shape: [batch, 784]}")) {
    if (!usable_name(entry.key, entry.place, "an input")) continue;
    if (!entry.value.is_mapping()) {
      result.push_back({.name = entry.key,
                        .place = entry.place,
                        .shape = {},
                        .from = {},
                        .part = {},
                        .dtype = {},
                        .broken = true});
      if (!entry.value.is_empty()) {
        error(entry.value.place,
              fmt::format("input '{}' needs a shape, not {}", entry.key, describe_kind(entry.value)),
              fmt::format("Write `{}: {{shape: [batch, 784]}}`, or {{from: labels}}.", entry.key));
      }
      continue;
    }
    InputDeclaration input{
        .name = entry.key, .place = entry.place, .shape = {}, .from = {}, .part = {}, .dtype = {}};
    input.broken = !check_keys(entry.value, section_of("input"), diagnostics_);
    if (const YamlNode* shape = entry.value.find("shape")) input.shape = *shape;
    if (const YamlNode* from = entry.value.find("from")) input.from = *from;
    if (const YamlNode* part = entry.value.find("name")) input.part = *part;
    if (const YamlNode* dtype = entry.value.find("dtype")) input.dtype = *dtype;
    if (input.part && !input.part->is_scalar()) {
      error(input.part->place,
            fmt::format("`name:` is the name of a column or array, not {}", describe_kind(*input.part)));
      input.broken = true;
    }
    result.push_back(std::move(input));
  }
  return result;
}

std::vector<TermDeclaration> DeclarationReader::terms(const YamlNode* section, std::string_view key) {
  std::vector<TermDeclaration> result;
  for (const YamlEntry& entry : entries(section, key, "reconstruction: {op: mse, in: [recon, x]}")) {
    if (!usable_name(entry.key, entry.place, key == "loss" ? "a term" : "a metric")) continue;
    if (key == "metrics" && entry.value.find("probe") != nullptr) continue;
    if (std::optional<TermDeclaration> read = term(entry, key)) result.push_back(std::move(*read));
  }
  return result;
}

std::vector<ProbeDeclaration> DeclarationReader::probes(const YamlNode* metrics) {
  std::vector<ProbeDeclaration> result;
  if (metrics == nullptr) return result;
  for (const YamlEntry& entry : metrics->entries)
    if (entry.value.find("probe") != nullptr) result.push_back({entry.key, entry.place, entry.value});
  return result;
}

std::optional<TermDeclaration> DeclarationReader::term(const YamlEntry& entry, std::string_view section) {
  TermDeclaration result;
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

std::vector<BlockDeclaration::Name> DeclarationReader::names(const YamlNode& given, std::string_view what) {
  std::vector<BlockDeclaration::Name> result;
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

std::vector<BlockDeclaration> DeclarationReader::blocks(const YamlNode* section, bool standard) {
  std::vector<BlockDeclaration> result;
  for (const YamlEntry& entry : entries(section, "blocks", "blocks: {mlp: {in: [x], nodes: {…}, out: y}}")) {
    if (!usable_name(entry.key, entry.place, "a block")) continue;
    result.push_back(block(entry, standard));
  }
  return result;
}

BlockDeclaration DeclarationReader::block(const YamlEntry& entry, bool standard) {
  BlockDeclaration declared;
  declared.name = entry.key;
  declared.place = entry.place;
  if (!entry.value.is_mapping()) {
    if (!entry.value.is_empty()) {
      error(entry.value.place, fmt::format("a block is {{args: …, in: …, nodes: …, out: …}}, not {}",
                                           describe_kind(entry.value)));
    }
    declared.broken = true;
    return declared;
  }
  declared.broken = !check_keys(entry.value, section_of("block"), diagnostics_);
  declared.standard = standard;
  declared.about = text(entry.value.find("about"), "about");
  for (const YamlEntry& argument :
       entries(entry.value.find("args"), "args", "args: {units: required, act: relu}")) {
    if (!usable_name(argument.key, argument.place, "an argument")) continue;
    const bool required =
        argument.value.is_scalar() && argument.value.text == "required" && !argument.value.quoted;
    declared.argument_index.emplace(argument.key, declared.arguments.size());
    declared.arguments.push_back({argument.key, argument.place, required, argument.value});
  }
  read_ranges(entry.value.find("ranges"), declared);
  if (const YamlNode* in = entry.value.find("in"); in != nullptr && !in->is_empty()) {
    declared.inputs = names(*in, "an input of a block");
  }
  declared.nodes = nodes(entry.value.find("nodes"), "nodes");
  if (const YamlNode* reduce = entry.value.find("reduce")) declared.reduce = *reduce;
  const YamlNode* out = entry.value.find("out");
  if (out == nullptr) {
    error(entry.place, fmt::format("block '{}' does not say which of its nodes comes out", entry.key),
          "Write `out: NODE`.");
  } else if (!out->is_empty()) {
    declared.outputs = names(*out, "what comes out of a block");
  }
  declared.broken = declared.broken || declared.outputs.empty();
  return declared;
}

/// `ranges: {amount: "[0, 1)"}`
void DeclarationReader::read_ranges(const YamlNode* section, BlockDeclaration& declared) {
  for (const YamlEntry& entry : entries(section, "ranges", "ranges: {amount: \"[0, 1)\"}")) {
    const auto argument = std::ranges::find(declared.arguments, entry.key, &BlockDeclaration::Argument::name);
    if (argument == declared.arguments.end()) {
      std::vector<std::string> names;
      for (const BlockDeclaration::Argument& known : declared.arguments) names.push_back(known.name);
      error(entry.place, fmt::format("block '{}' has no argument '{}'", declared.name, entry.key),
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

NodeDeclaration read_call(const std::string& name, const YamlNode& value, Diagnostics& diagnostics) {
  return DeclarationReader(diagnostics).node(name, value.place, value);
}

ModelDeclaration read_declarations(YamlNode document, Diagnostics& diagnostics) {
  return DeclarationReader(diagnostics).model(std::move(document));
}

std::vector<BlockDeclaration> read_standard_blocks(const YamlNode& document, Diagnostics& diagnostics) {
  return DeclarationReader(diagnostics).blocks(document.find("blocks"), true);
}

}  // namespace graphrun
