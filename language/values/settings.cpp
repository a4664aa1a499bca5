#include "language/values/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "errors/nearest.hpp"
#include "language/values/expression.hpp"
#include "language/values/value.hpp"

namespace graphrun {
namespace {

/// Makes the places of a value count from the start of the setting it was written in.
void relocate(YamlNode& node, std::size_t source, int columns) {
  node.place = {source, node.place.line, node.place.column + columns};
  node.offset = static_cast<std::size_t>(static_cast<std::int64_t>(node.offset) + columns);
  for (YamlNode& item : node.items) relocate(item, source, columns);
  for (YamlEntry& entry : node.entries) {
    entry.place = {source, entry.place.line, entry.place.column + columns};
    relocate(entry.value, source, columns);
  }
}

/// The value after the `=`, read as the value of a key.
std::optional<YamlNode> read_value(std::size_t source, std::size_t equals, Sources& sources,
                                   Diagnostics& diagnostics) {
  const std::string key = "k: ";
  const int columns = static_cast<int>(equals) + 1 - static_cast<int>(key.size());
  const std::size_t text = sources.add("--set", key + sources.text(source).substr(equals + 1));
  Diagnostics found(sources);
  YamlNode root = parse_yaml(text, found);
  try {
    found.throw_if_any();
  } catch (const ModelError& error) {
    for (const Diagnostic& mistake : error.diagnostics()) {
      diagnostics.error({source, 1, mistake.where.column + columns}, mistake.message, mistake.fix);
    }
    return std::nullopt;
  }
  YamlNode* value = root.entries.size() == 1 ? &root.entries.front().value : nullptr;
  if (value == nullptr || value->is_empty()) {
    diagnostics.error({source, 1, static_cast<int>(equals) + 2}, "there is no value after the '='",
                      "Write NAME=VALUE, e.g. units=10.");
    return std::nullopt;
  }
  relocate(*value, source, columns);
  return std::move(*value);
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// What kind of value is written here? Nothing when it is computed.
std::optional<Value> written_value(const YamlNode& node, Diagnostics& diagnostics) {
  if (node.is_sequence()) return Value{ValueList{}};
  if (node.is_mapping()) return Value{ValueMapping{}};
  if (is_value_reference(node.text)) return std::nullopt;
  return read_scalar(node, diagnostics);
}

void set_var(YamlNode& document, const std::string& name, YamlNode value, const Place& place,
             Diagnostics& diagnostics) {
  YamlNode* vars = document.find("vars");
  YamlNode* old = vars == nullptr ? nullptr : vars->find(name);
  if (old == nullptr) {
    const std::vector<std::string> names = vars == nullptr ? std::vector<std::string>() : vars->keys();
    std::string fix = nearest_name(name, names);
    if (!fix.empty()) {
      fix = fmt::format("Did you mean '{}'?", fix);
    } else if (document.find(name) != nullptr) {
      fix = fmt::format("A path into `{0}:` has a dot: {0}.KEY=VALUE.", name);
    } else {
      fix = names.empty() ? "This model has no vars." : suggestion(name, names);
    }
    diagnostics.error(place, fmt::format("the model has no var '{}'", name), fix);
    return;
  }
  const std::optional<Value> before = written_value(*old, diagnostics);
  const std::size_t mistakes = diagnostics.count();
  const std::optional<Value> after = written_value(value, diagnostics);
  if (diagnostics.count() > mistakes) return;
  const bool number = before && after && before->number() && after->number();
  const bool fits = !before || !after || before->data.index() == after->data.index() ||
                    (number && before->integer() == nullptr);  // a float may be written without a point
  if (!fits) {
    diagnostics.error(
        value.place, fmt::format("var '{}' is {}, not {}", name, kind_name(*before), described(*after)),
        before->list() != nullptr ? fmt::format("Write {}=[{}].", name, to_string(*after)) : "");
    return;
  }
  *old = std::move(value);
}

/// The entry of `parent` that a part of a path names: a key, or the `name` of an item of a list.
YamlNode* step_into(YamlNode& parent, const std::string& part) {
  if (YamlNode* child = parent.find(part)) return child;
  for (YamlNode& item : parent.items) {
    const YamlNode* name = item.find("name");
    if (name != nullptr && name->text == part) return &item;
  }
  return nullptr;
}

/// `data=mnist`: other data, by name or files, take the place of the model's own; and so do other weights.
void set_section(YamlNode& document, const std::string& name, YamlNode value, const Place& place) {
  if (YamlNode* const section = document.find(name))
    *section = std::move(value);
  else
    document.entries.push_back({name, place, std::move(value)});
}

/// Files that are set one by one take the place of a data set that was named: makes what a path into `data:`
/// passes through.
void open_data(YamlNode& document, const std::string& part, const Place& place) {
  YamlNode mapping;
  mapping.kind = YamlNode::Kind::mapping;
  mapping.place = place;
  const YamlNode* const data = document.find("data");
  if (data == nullptr || !data->is_mapping()) set_section(document, "data", mapping, place);
  YamlNode& files = *document.find("data");
  if (files.find(part) == nullptr) files.entries.push_back({part, place, std::move(mapping)});
}

bool has_var(YamlNode& document, const std::string& name) {
  YamlNode* const vars = document.find("vars");
  return vars != nullptr && vars->find(name) != nullptr;
}

bool holds_free_names(const std::string& section) {
  for (const char* const name : {"nodes", "inputs", "blocks", "outputs", "loss", "metrics", "vars"}) {
    if (section == name) return true;
  }
  return false;
}

void set_path(YamlNode& document, const std::vector<std::string>& parts, YamlNode value, const Place& place,
              Diagnostics& diagnostics) {
  YamlNode* parent = &document;
  std::string path;
  int column = place.column;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    YamlNode* child = step_into(*parent, parts[i]);
    const bool may_be_new = last && parent->is_mapping() && i > 0 && !(i == 1 && holds_free_names(parts[0]));
    if (child == nullptr && !may_be_new) {
      const std::string where = path.empty() ? "the model" : fmt::format("'{}'", path);
      diagnostics.error({place.source, 1, column}, fmt::format("{} has no '{}'", where, parts[i]),
                        suggestion(parts[i], parent->keys()));
      return;
    }
    if (last && child == nullptr) {
      parent->entries.push_back({parts[i], {place.source, 1, column}, std::move(value)});
      break;
    }
    if (last) {
      *child = std::move(value);
      break;
    }
    parent = child;
    path += (path.empty() ? "" : ".") + parts[i];
    column += static_cast<int>(parts[i].size()) + 1;
  }
  const std::string& key = parts.back();
  if (key != "epochs" && key != "steps") return;
  const std::string other = key == "epochs" ? "steps" : "epochs";
  std::erase_if(parent->entries, [&other](const YamlEntry& entry) { return entry.key == other; });
}

}  // namespace

void apply_settings(YamlNode& document, std::span<const std::string> settings, Sources& sources,
                    Diagnostics& diagnostics) {
  for (const std::string& setting : settings) {
    const std::size_t source = sources.add("--set", setting);
    const Place start{source, 1, 1};
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      diagnostics.error(start, fmt::format("'{}' is no setting", setting),
                        "Write NAME=VALUE, e.g. units=10.");
      continue;
    }
    std::optional<YamlNode> value = read_value(source, equals, sources, diagnostics);
    if (!value) continue;
    const std::vector<std::string> parts = split(setting.substr(0, equals));
    if (parts.size() == 3 && parts[0] == "data" && document.is_mapping()) {
      open_data(document, parts[1], {source, 1, 6});
    }
    const bool is_section = parts.size() == 1 && (parts[0] == "data" || parts[0] == "weights");
    if (is_section && document.is_mapping() && !has_var(document, parts[0])) {
      set_section(document, parts[0], std::move(*value), start);
    } else if (parts.size() == 1) {
      set_var(document, parts[0], std::move(*value), start, diagnostics);
    } else if (parts.size() == 2 && parts[0] == "vars") {
      set_var(document, parts[1], std::move(*value), {source, 1, 6}, diagnostics);
    } else {
      set_path(document, parts, std::move(*value), start, diagnostics);
    }
  }
}

}  // namespace graphrun
