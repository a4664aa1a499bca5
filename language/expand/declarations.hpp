/// \file
/// What a model file says, before anything of it is computed: its sections with the place of every key and
/// value. Unknown keys have been reported. Values are still YAML: language/build.hpp evaluates them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/range.hpp"
#include "language/syntax/document.hpp"

namespace graphrun {

/// One entry of `nodes:` (or a term, or an output): a formula, a call of an op or block, or a schedule.
struct NodeDeclaration {
  enum class Kind { formula, call, schedule, broken };  // broken: reported; what uses it says nothing
  Kind kind = Kind::formula;
  std::string name;
  Place place;     ///< of the name
  YamlNode value;  ///< formula: the text; schedule: the mapping
  YamlNode op;     ///< call: a name or $name
  std::vector<YamlNode> inputs;
  Place inputs_place;  ///< of the value of `in`; of the op when there is none
  std::optional<YamlNode> params;
  std::optional<YamlNode> repeat;
  std::vector<YamlEntry> attributes;  ///< everything else, `like` and `tie` included
};

struct BlockDeclaration {
  struct Argument {
    std::string name;
    Place place;
    bool required = false;
    YamlNode fallback;
    Range range = {};  ///< of a number, and of the ends of a schedule
  };
  struct Name {
    std::string text;
    Place place;
  };
  std::string name;
  Place place;
  std::string about;
  std::vector<Argument> arguments;
  std::map<std::string, std::size_t> argument_index;  ///< where in `arguments` a name is
  std::vector<Name> inputs;
  std::vector<NodeDeclaration> nodes;
  std::vector<Name> outputs;       ///< at least one
  std::optional<YamlNode> reduce;  ///< of a loss: how a term that calls it joins the axes beside the batch
  bool broken = false;             ///< reported; a call of it says nothing
  bool standard = false;           ///< from the library's own text: errors point at the call

  const Argument* find_argument(const std::string& argument) const {
    const auto found = argument_index.find(argument);
    return found == argument_index.end() ? nullptr : &arguments[found->second];
  }
};

/// A term of the loss or a metric.
struct TermDeclaration {
  NodeDeclaration node;
  std::optional<YamlNode> reduce;
  std::optional<YamlNode> weight;
};

/// `NAME: {probe: KIND, in: …}`, unread.
struct ProbeDeclaration {
  std::string name;
  Place place;
  YamlNode value;
};

struct InputDeclaration {
  std::string name;
  Place place;
  std::optional<YamlNode> shape;
  std::optional<YamlNode> from;
  std::optional<YamlNode> part;  ///< `name:`
  std::optional<YamlNode> dtype;
  bool broken = false;  ///< reported; what uses it says nothing

  /// Does it say `from: column`, or whatever `source` is?
  bool is_from(std::string_view source) const { return from && from->text == source; }
  /// Of the column or array that it takes: by default its own.
  const std::string& part_name() const { return part ? part->text : name; }
};

struct ModelDeclaration {
  YamlNode document;  ///< the whole file, includes inlined, --set applied
  Place start;
  std::string name;
  std::string about;
  std::vector<YamlEntry> vars;
  std::optional<YamlNode> data;
  std::vector<InputDeclaration> inputs;
  std::vector<NodeDeclaration> nodes;
  std::vector<BlockDeclaration> blocks;
  std::vector<NodeDeclaration> outputs;
  std::vector<TermDeclaration> loss;
  std::vector<TermDeclaration> metrics;
  std::vector<ProbeDeclaration> probes;
  std::optional<YamlNode> train;
};

}  // namespace graphrun
