/// \file
/// A YAML document as written: every key and value with its place. Strict: one document, no anchors, aliases,
/// tags or merge keys, no duplicate or empty keys. Scalars stay text; language/values/value.hpp reads them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "language/syntax/diagnostics.hpp"

namespace graphrun {

struct YamlEntry;

struct YamlNode {
  enum class Kind { empty, scalar, sequence, mapping };  // empty: nothing was written
  Kind kind = Kind::empty;
  Place place;
  std::size_t offset = 0;          ///< of its first byte in its source
  std::string text;                ///< scalar
  bool quoted = false;             ///< scalar in quotes or as a block: always text, never a number
  std::vector<YamlNode> items;     ///< sequence
  std::vector<YamlEntry> entries;  ///< mapping, in the order of the file

  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_mapping() const { return kind == Kind::mapping; }
  bool is_empty() const { return kind == Kind::empty; }
  const YamlNode* find(std::string_view key) const;  ///< null when it is no mapping or has no such key
  YamlNode* find(std::string_view key);
  std::vector<std::string> keys() const;
};

struct YamlEntry {
  std::string key;
  Place place;  ///< of the key
  YamlNode value;
};

/// Reads the text of a source. Reports what is wrong; the result is `empty` when its structure is not known.
YamlNode parse_yaml(std::size_t source, Diagnostics& diagnostics);

/// Where in its source each character of a scalar's text stands, and its end: also in quoted and in folded
/// texts.
std::vector<std::size_t> offsets_in(const YamlNode& scalar, const Sources& sources);

/// The place of the character `index` of a scalar's text.
Place place_in(const YamlNode& scalar, std::size_t index, const Sources& sources);

/// The node as YAML that reads back to an equal one.
std::string print_yaml(const YamlNode& node);

/// "a text", "a number", "a list", "a mapping", "nothing": for messages.
std::string describe_kind(const YamlNode& node);

}  // namespace graphrun
