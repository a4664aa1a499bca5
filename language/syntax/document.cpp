#include "language/syntax/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include "language/syntax/scan.hpp"

namespace graphrun {
namespace {

std::string unmasked(std::string text) {
  for (char& c : text) {
    const std::size_t index = static_cast<std::size_t>(static_cast<unsigned char>(c)) - 1;
    if (index < sizeof(masked_characters) - 1) c = masked_characters[index];
  }
  return text;
}

/// Thrown inside the handler to leave the YAML library; the mistake has been reported.
struct Unreadable {};

/// Builds the tree on a stack of open collections; depth is bounded by the scan and checked again here.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::size_t source, Diagnostics& diagnostics) : source_(source), diagnostics_(diagnostics) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    YamlNode node = make(YamlNode::Kind::empty, mark);
    node.text = written_null(node.offset);
    if (!node.text.empty()) node.kind = YamlNode::Kind::scalar;  // written, and not left out
    value(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark, "aliases"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    check(mark, tag, anchor);
    YamlNode node = make(YamlNode::Kind::scalar, mark);
    node.quoted = tag == "!";
    node.text = node.quoted ? text : unmasked(text);
    value(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    open(make(YamlNode::Kind::sequence, mark));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    open(make(YamlNode::Kind::mapping, mark));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    std::optional<YamlEntry> entry;  // mapping: the key that waits for its value
    std::set<std::string> keys;
  };

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) const {
    YamlNode node;
    node.kind = kind;
    node.offset = static_cast<std::size_t>(std::max(mark.pos, 0));
    node.place = diagnostics_.sources().place_at(source_, node.offset);
    return node;
  }
  /// The word for null that stands here; nothing when it is the next key, or only how that begins.
  std::string written_null(std::size_t offset) const {
    const std::string_view rest = std::string_view(diagnostics_.sources().text(source_)).substr(offset);
    for (const std::string_view word : {"null", "Null", "NULL", "~"}) {
      if (!rest.starts_with(word)) continue;
      const std::string_view after = rest.substr(word.size());
      if (!after.empty() && std::string_view(" \t\r\n,]}:").find(after.front()) == std::string_view::npos)
        continue;
      const std::size_t next = std::min(after.find_first_not_of(" \t"), after.size());
      const bool is_key = !stack_.empty() && stack_.back().node.is_mapping() && !stack_.back().entry;
      if (is_key || !after.substr(next).starts_with(':')) return std::string(word);
    }
    return {};
  }
  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view what) {
    diagnostics_.error(make(YamlNode::Kind::empty, mark).place, fmt::format("{} are not used here", what),
                       "Name values under `vars:`, or make a block.");
    throw Unreadable{};
  }
  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "anchors");
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "tags");
  }
  void open(YamlNode node) {
    if (stack_.size() >= deepest_nesting) {
      diagnostics_.error(node.place, fmt::format("nested more than {} deep", deepest_nesting));
      throw Unreadable{};
    }
    stack_.push_back({std::move(node), {}, {}});
  }
  void close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    value(std::move(node));
  }
  void value(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.is_sequence()) {
      if (node.is_empty())
        diagnostics_.error(node.place, "an entry of this list is empty", "Write its value.");
      parent.node.items.push_back(std::move(node));
    } else if (!parent.entry) {
      key(parent, std::move(node));
    } else {
      parent.entry->value = std::move(node);
      if (parent.entry->value.is_empty()) repair(*parent.entry);
      // An entry with an empty key or a repeated one has been reported; it is left out.
      if (!parent.entry->key.empty()) parent.node.entries.push_back(std::move(*parent.entry));
      parent.entry.reset();
    }
  }
  /// `{x:1}` and `{op dense}` have been reported by the scan; read as `x: 1` they cause no further mistakes.
  void repair(YamlEntry& entry) {
    const std::size_t cut = entry.key.find_first_of(": ");
    if (cut == std::string::npos || cut + 1 >= entry.key.size()) return;
    entry.value.kind = YamlNode::Kind::scalar;
    entry.value.text = entry.key.substr(cut + 1);
    entry.value.place = {source_, entry.place.line, entry.place.column + static_cast<int>(cut) + 1};
    entry.key.resize(cut);
  }
  void key(Open& parent, YamlNode node) {
    parent.entry = YamlEntry{node.text, node.place, {}};
    if (!node.is_scalar() || node.text.empty()) {
      diagnostics_.error(node.place, node.is_scalar() || node.is_empty() ? "this entry has no key"
                                                                         : "a key must be a plain word");
      parent.entry->key.clear();
    } else if (!parent.keys.insert(node.text).second) {
      const auto first = std::find_if(parent.node.entries.begin(), parent.node.entries.end(),
                                      [&node](const YamlEntry& entry) { return entry.key == node.text; });
      const int line = first != parent.node.entries.end() ? first->place.line : node.place.line;
      diagnostics_.error(
          node.place,
          fmt::format("the key '{}' stands here a second time; first in line {}", node.text, line),
          "Give it another name, or leave one out.");
      parent.entry->key.clear();
    }
  }

  std::size_t source_;
  Diagnostics& diagnostics_;
  std::vector<Open> stack_;
  YamlNode root_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

YamlNode* YamlNode::find(std::string_view key) {
  for (YamlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::vector<std::string> YamlNode::keys() const {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const YamlEntry& entry : entries) names.push_back(entry.key);
  return names;
}

namespace {

/// Of what yaml-cpp says, what people come upon: a list that goes on as a mapping, or the other way round.
std::string fix_of(std::string_view complaint) {
  const bool is_mixed = complaint == "end of map not found" || complaint == "end of sequence not found";
  return is_mixed ? "What stands above is a list (`- …`) or has names (`name: …`): go on as it begins, "
                    "indented alike."
                  : "";
}

}  // namespace

YamlNode parse_yaml(std::size_t source, Diagnostics& diagnostics) {
  const std::string& text = diagnostics.sources().text(source);
  try {
    diagnostics.budget().spend(Resource::text, text.size());
  } catch (const OverBudget& over) {
    diagnostics.error({source, 0, 0}, over.message(), over.fix());
    return {};
  }
  if (!check_encoding(text, source, diagnostics)) return {};
  const ScannedText scanned = scan_yaml(text, source, diagnostics);
  if (!scanned.readable) return {};
  TreeBuilder builder(source, diagnostics);
  try {
    std::istringstream stream(scanned.text);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    return builder.take();
  } catch (const Unreadable&) {
  } catch (const YAML::Exception& error) {
    const Place place{source, std::max(error.mark.line, 0) + 1, std::max(error.mark.column, 0) + 1};
    diagnostics.error(place, fmt::format("not readable as YAML: {}", error.msg), fix_of(error.msg));
  }
  return {};
}

std::vector<std::size_t> offsets_in(const YamlNode& scalar, const Sources& sources) {
  const std::string& source = sources.text(scalar.place.source);
  std::size_t at = scalar.offset;
  const auto is_blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  const auto peek = [&source](std::size_t i) { return i < source.size() ? source[i] : '\0'; };
  const char style = scalar.quoted ? peek(at) : '\0';
  if (style == '|' || style == '>') at = std::min(source.find('\n', at), source.size());
  if (style == '"' || style == '\'') ++at;
  std::vector<std::size_t> offsets;
  offsets.reserve(scalar.text.size() + 1);
  for (std::size_t i = 0; i < scalar.text.size(); ++i) {
    offsets.push_back(std::min(at, source.size()));
    if (is_blank(scalar.text[i])) {
      const bool next_blank = i + 1 < scalar.text.size() && is_blank(scalar.text[i + 1]);
      if (is_blank(peek(at))) ++at;
      while (!next_blank && is_blank(peek(at))) ++at;
    } else {
      if (style == '|' || style == '>') {
        while (is_blank(peek(at))) ++at;
      }
      const bool escaped = (style == '"' && peek(at) == '\\') || (style == '\'' && peek(at) == '\'');
      at += escaped ? 2 : 1;
    }
  }
  offsets.push_back(std::min(at, source.size()));
  return offsets;
}

Place place_in(const YamlNode& scalar, std::size_t index, const Sources& sources) {
  const std::vector<std::size_t> offsets = offsets_in(scalar, sources);
  return sources.place_at(scalar.place.source, offsets[std::min(index, offsets.size() - 1)]);
}

std::string describe_kind(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::empty:
      return "nothing";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
    case YamlNode::Kind::scalar:
      return fmt::format("'{}'", node.text);
  }
  return {};
}

}  // namespace graphrun
