// print_yaml: YAML that reads back to an equal tree. Short collections in one line, long ones one entry a
// line.
#include <fmt/format.h>

#include <string_view>

#include "language/syntax/document.hpp"

namespace graphrun {
namespace {

constexpr std::size_t line_width = 100;

/// May the text stand without quotes, inside brackets too? Rather one quote too many.
bool is_plain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@` ").find(text.front()) != std::string_view::npos) {
    const bool negative = text.front() == '-' && text.size() > 1 && text[1] != ' ' && text[1] != '-';
    if (!negative) return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
        std::string_view(",[]{}#").find(c) != std::string_view::npos) {
      return false;
    }
    if (c == ':') return false;
  }
  return true;
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02X}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string scalar_text(const YamlNode& node) {
  return node.quoted || !is_plain(node.text) ? in_quotes(node.text) : node.text;
}

std::string key_text(const std::string& key) {
  const bool plain = is_plain(key) && key.find('?') == std::string::npos;  // which YAML reads as a key's sign
  return plain ? key : in_quotes(key);
}

std::string flow_text(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::empty:
      return "";
    case YamlNode::Kind::scalar:
      return scalar_text(node);
    case YamlNode::Kind::sequence: {
      std::string text;
      for (const YamlNode& item : node.items) text += (text.empty() ? "" : ", ") + flow_text(item);
      return "[" + text + "]";
    }
    case YamlNode::Kind::mapping: {
      std::string text;
      for (const YamlEntry& entry : node.entries) {
        text +=
            fmt::format("{}{}: {}", text.empty() ? "" : ", ", key_text(entry.key), flow_text(entry.value));
      }
      return "{" + text + "}";
    }
  }
  return {};
}

void print_block(const YamlNode& node, std::size_t indent, bool unfold, std::string& out);

void print_entry(std::string_view start, const YamlNode& value, std::size_t indent, bool unfold,
                 std::string& out) {
  const std::string flow = flow_text(value);
  const bool collection = !value.items.empty() || !value.entries.empty();
  const std::string pad(indent, ' ');
  if (!collection || (!unfold && indent + start.size() + 1 + flow.size() <= line_width)) {
    out += fmt::format("{}{}{}{}\n", pad, start, flow.empty() ? "" : " ", flow);
  } else {
    out += fmt::format("{}{}\n", pad, start);
    print_block(value, indent + 2, false, out);
  }
}

/// `unfold`: the top of a file, whose sections of named things stand one a line.
void print_block(const YamlNode& node, std::size_t indent, bool unfold, std::string& out) {
  for (const YamlNode& item : node.items) print_entry("-", item, indent, false, out);
  for (const YamlEntry& entry : node.entries) {
    const bool section = unfold && entry.value.is_mapping() && entry.key != "vars" && entry.key != "outputs";
    print_entry(key_text(entry.key) + ":", entry.value, indent, section, out);
  }
}

}  // namespace

std::string print_yaml(const YamlNode& node) {
  if (node.items.empty() && node.entries.empty()) return flow_text(node) + "\n";
  std::string out;
  print_block(node, 0, true, out);
  return out;
}

}  // namespace graphrun
