/// \file
/// Where nodes are made: the file, or one expansion of a block. What can be seen there, and what all scopes
/// of a model share. From what is declared to nodes it goes in stages, each a file pair of functions:
///
///   names            who bears a name or a path, and what parameters there are
///   node_order       which nodes of a list need which
///   scope_values     from YAML to values: `$name`, `$(…)`, schedules
///   references       from `enc.1.w` to the node that it means
///   expand_nodes     repeats and single nodes, in the order of their uses
///   expand_blocks    a call of a block becomes the nodes of its body
///   build_nodes      a call of an op becomes a node
///   formula          the same for what is written as a formula
///
/// A mistake is reported where it is noticed (mistakes.hpp); the stage then gives nothing, and what is made
/// of nothing is nothing and says nothing, so that one mistake gives one message.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "language/expand/declarations.hpp"
#include "language/expand/inputs.hpp"
#include "language/expand/names.hpp"
#include "language/expand/node_order.hpp"

namespace graphrun {

struct Expansion;

/// What a name of a scope stands for once its node has been made.
struct Instance {
  std::optional<NodeId> node = {};             ///< nothing: unknown, a mistake has been reported
  std::optional<NodeId> input = {};            ///< the first one of a call
  bool repeated = false;                       ///< then it stands for its copies, of which there may be none
  std::string params = {};                     ///< its parameters are called PARAMS.w, …
  std::map<std::string, NodeId> outputs = {};  ///< of a block with several
  std::vector<Instance> copies = {};           ///< of a repeat
};

struct Argument {
  Value value;
  Place place;
};

/// The blocks a node came through, innermost first: shared by all nodes of a call, until one is made.
struct CallNotes {
  Diagnostic::Note innermost;
  std::shared_ptr<const CallNotes> outer;
  std::size_t bytes = 0;  ///< of all their texts
};
std::vector<Diagnostic::Note> listed(const CallNotes* notes);

struct Scope {
  Expansion& model;
  const Scope* caller = nullptr;
  const BlockDeclaration* block = nullptr;  ///< null: the file itself
  bool standard = false;                    ///< inside a standard block: mistakes are shown at the call
  bool in_formula = false;                  ///< called from inside a formula: no parameters
  std::string path = {};                    ///< of the call; empty for the file
  std::string params = {};
  std::string display = {};     ///< the name of the node that comes out
  std::string shown_node = {};  ///< standard: the node of the file that is being made
  Place call_place = {};        ///< standard: where mistakes are shown
  Place node_place = {};        ///< of the key of the node that is being made
  std::string node = {};        ///< the node that is being made, for messages
  std::shared_ptr<const CallNotes> notes = {};
  std::map<std::string, Argument> arguments = {};
  std::map<std::string, Instance> instances = {};
  /// Values whose computation has begun; true: it has ended, and failed.
  std::map<std::string, bool> evaluating = {};
  std::map<const NodeDeclaration*, std::optional<Value>> copies = {};  ///< what `repeat:` says, once known
  std::optional<Value> item = {};
  std::optional<Value> index = {};
};

/// A model that is being expanded: what its file declares, and what has been made of it so far.
struct Expansion {
  /// Reports blocks that are called like an op or a block of graphrun's own.
  Expansion(const ModelDeclaration& file, const std::vector<BlockDeclaration>& standard,
            const OpRegistry& registry, Diagnostics& mistakes);
  Expansion(const Expansion&) = delete;
  Expansion& operator=(const Expansion&) = delete;

  Budget& budget() const { return diagnostics.budget(); }
  const BlockDeclaration* find_block(const std::string& name) const;

  const ModelDeclaration& declared;
  Builder builder;
  Diagnostics& diagnostics;
  std::map<std::string, const BlockDeclaration*> blocks;
  std::map<std::string, const YamlEntry*> vars;
  Names names;
  std::vector<ScheduledInput> scheduled;
  std::optional<NodeId> weights;  ///< [batch]: how much each example counts, where the data say so
  std::map<const BlockDeclaration*, BlockMentions> mentions;  ///< of the blocks that have been called
  std::map<const BlockDeclaration*, NodeOrder> orders;        ///< of those where it is the same in all calls
  Scope top;
};

}  // namespace graphrun
