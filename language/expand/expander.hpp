/// \file
/// From what a file says to nodes: evaluates values, resolves names, expands repeats and blocks, and adds ops
/// through the Builder. Mistakes are reported and leave a node unknown; what uses an unknown node is unknown
/// too and says nothing, so that one mistake gives one message. Internal to language.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "language/expand/declarations.hpp"
#include "language/expand/inputs.hpp"
#include "language/expand/key.hpp"
#include "language/values/evaluate.hpp"

namespace graphrun {

/// What a name of a scope stands for once its node has been made.
struct Instance {
  std::optional<NodeId> node;             ///< nothing: unknown, a mistake has been reported
  std::optional<NodeId> input;            ///< the first one of a call
  bool repeated = false;                  ///< then it stands for its copies, of which there may be none
  std::string params;                     ///< its parameters are called PARAMS.w, …
  std::map<std::string, NodeId> outputs;  ///< of a block with several
  std::vector<Instance> copies;           ///< of a repeat
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

/// The file, or one expansion of a block: the values and nodes that can be seen, and where it is.
struct Scope {
  const Scope* caller = nullptr;
  const BlockDeclaration* block = nullptr;  ///< null: the file itself
  bool standard = false;                    ///< inside a standard block: mistakes are shown at the call
  bool in_formula = false;                  ///< called from inside a formula: no parameters
  std::string path;                         ///< of the call; empty for the file
  std::string params;
  std::string display;     ///< the name of the node that comes out
  std::string shown_node;  ///< standard: the node of the file that is being made
  Place call_place;        ///< standard: where mistakes are shown
  Place node_place;        ///< of the key of the node that is being made
  std::string node;        ///< the node that is being made, for messages
  std::shared_ptr<const CallNotes> notes;
  std::map<std::string, Argument> arguments;
  std::map<std::string, Instance> instances;
  std::set<std::string> evaluating;  ///< values whose computation has begun: a second time is a cycle
  std::map<const NodeDeclaration*, std::optional<Value>> copies;  ///< what `repeat:` says, once it is known
  std::optional<Value> item;
  std::optional<Value> index;
};

/// A value or a reference given to an op or a block by name: written in YAML or in a formula.
struct GivenAttribute {
  std::string name;
  Place place;  ///< of the name
  Place value_place;
  const YamlNode* yaml = nullptr;          ///< the value, or the text that the expression is a part of
  const Expression* expression = nullptr;  ///< set in a formula
};

struct CallSite {
  std::string op;
  Place place;  ///< of the op's name, or of the operator
  std::vector<NodeId> inputs;
  std::vector<Place> input_places;
  Place inputs_place;
  std::vector<GivenAttribute> attributes;
  std::string path;
  std::string params;
  std::string display;
  bool in_formula = false;
};

class Expander {
 public:
  Expander(const ModelDeclaration& declared, const std::vector<BlockDeclaration>& standard, Builder& builder,
           Diagnostics& diagnostics);

  Scope& top() { return top_; }
  /// Makes the nodes of `inputs:`.
  std::vector<ModelInput> inputs();
  /// Makes all nodes of a scope, in an order that follows from who uses whom.
  void expand(Scope& scope, const std::vector<NodeDeclaration>& nodes);
  /// Makes one node; `path` is its written path.
  Instance make(Scope& scope, const NodeDeclaration& declared, const std::string& path,
                const std::string& display);

  /// The node that a text of the file names; null when there is none, which has been reported.
  const Instance* named(const YamlNode& reference);
  /// A call whose first input is not written but given.
  std::optional<NodeId> apply(const NodeDeclaration& declared, NodeId input, const std::string& path);

  // ---- values (expand_values.cpp) ----
  /// The value written in YAML, or nothing when it is wrong.
  std::optional<Value> value(Scope& scope, const YamlNode& node);
  std::optional<Value> value(Scope& scope, const GivenAttribute& given);
  std::optional<Schedule> schedule(Scope& scope, const YamlNode& node);
  void check_vars();

  /// Reports a mistake in the node that the scope is making.
  Diagnostic& report(const Scope& scope, const Place& place, std::string message, std::string fix = {});
  Diagnostic& report(const Scope& scope, const CallSite& site, const OpError& error);
  bool in_range(const Scope& scope, const Scope& inner, const GivenAttribute& given, const Value& passed);

  const std::map<std::string, NodeId>& parameters() const { return parameters_; }
  /// The variables at and below each path: that of the node they were written in, and their own.
  const std::map<std::string, std::vector<NodeId>>& owners() const { return owners_; }
  /// Where a parameter was first made.
  const Place& place_of(const std::string& parameter) const { return parameter_places_.at(parameter); }
  const std::vector<ScheduledInput>& scheduled() const { return scheduled_; }
  std::vector<std::string> callable_names() const;
  const BlockDeclaration* find_block(const std::string& name) const;
  Builder& builder() { return builder_; }
  Diagnostics& diagnostics() { return diagnostics_; }
  /// A scalar that the host feeds.
  NodeId scheduled_input(const Schedule& schedule, const std::string& name);

 private:
  friend class FormulaBuilder;

  // ---- nodes (expand_nodes.cpp) ----
  /// For each node the names of those that it needs.
  using Needs = std::vector<std::set<std::string>>;
  std::shared_ptr<const Needs> needs_of(const Scope& scope, const std::vector<NodeDeclaration>& nodes);
  std::vector<std::size_t> order(Scope& scope, const std::vector<NodeDeclaration>& nodes, const Needs& needs);
  std::set<std::string> needless(Scope& scope, const std::vector<NodeDeclaration>& nodes, const Needs& needs,
                                 const std::vector<std::size_t>& order);
  Instance repeated(Scope& scope, const NodeDeclaration& declared, const std::string& path);
  Instance single(Scope& scope, const NodeDeclaration& declared, const std::string& path,
                  const std::string& params, const std::string& display, std::optional<NodeId> first);
  std::optional<NodeId> formula(Scope& scope, const YamlNode& text, const std::string& path,
                                const std::string& display);
  std::string params_of(Scope& scope, const NodeDeclaration& declared, const std::string& path);
  std::optional<std::string> written_path(Scope& scope, const YamlNode& text);
  std::optional<std::string> joined_pieces(Scope& scope, const YamlNode& text);
  const std::optional<Value>& copies_of(Scope& scope, const NodeDeclaration& declared);

  // ---- calls (expand_calls.cpp) ----
  Instance call(Scope& scope, CallSite site);
  Instance call_block(Scope& scope, const BlockDeclaration& block, const CallSite& site);
  bool callable(Scope& scope, const CallSite& site);
  bool check_arguments(Scope& scope, const BlockDeclaration& block, const CallSite& site);
  bool bind_arguments(Scope& scope, Scope& inner, const CallSite& site);
  Instance call_op(Scope& scope, const OpDef& op, const CallSite& site);
  Instance parameter(Scope& scope, const CallSite& site, const Attributes& attributes, const Value& tie);
  std::optional<Attributes> attributes(Scope& scope, const OpDef& op, const CallSite& site, Value& tie);
  void report_attribute(Scope& scope, const CallSite& site, const GivenAttribute& given,
                        const AttributeDeclaration& declared, const OpError& error);
  std::optional<Place> place_of_argument(const Scope& scope, const YamlNode& node) const;
  void own(const std::string& path, NodeId variable);
  bool shares(Scope& scope, const CallSite& site, NodeId first, const Attributes& attributes);
  /// What bears a name or a path, and where it was written.
  struct Claim {
    std::string_view what;
    Place place;
  };
  using Claims = std::unordered_map<std::string, Claim>;
  bool claim(Scope& scope, const Place& place, Claims& claims, const std::string& name,
             std::string_view what);
  bool recursion(const Scope& scope, const BlockDeclaration& block, const CallSite& site);
  static const Place& written_place(const Scope& scope);
  void set_origin(const Scope& scope, const CallSite& site);
  /// The stack that a level of values or blocks takes, and what comes between it and the next.
  static constexpr std::size_t value_frames = 2 * 1024;
  static constexpr std::size_t list_frames = 768;
  static constexpr std::size_t block_frames = 5 * 1024;
  /// Reports what the budget has no room for, and leaves the expansion.
  [[noreturn]] void abandon(const Scope& scope, const Place& place, const OverBudget& over);

  // ---- references (expand_references.cpp) ----
  std::optional<NodeId> node_of(Scope& scope, const Expression& reference, const YamlNode& text);
  const Instance* instance_of(Scope& scope, const Expression& reference, const YamlNode& text,
                              std::string& rest);
  std::optional<Value> tied(Scope& scope, const GivenAttribute& given);
  std::optional<NodeId> referred(Scope& scope, const GivenAttribute& given);
  std::optional<NodeId> batch_count(Scope& scope, const YamlNode& text, std::size_t offset);

  std::optional<double> schedule_number(Scope& scope, const YamlNode& given, const Key& key);
  ValueScope value_scope(Scope& scope);
  std::optional<Value> named_value(Scope& scope, const std::string& name);
  const YamlNode* fallback_of(const Scope& scope, const std::string& name) const;
  std::optional<Value> size_function(Scope& scope, const Expression& call, const YamlNode& text);
  std::optional<Value> evaluated(Scope& scope, const Expression& expression, const YamlNode& text);
  std::optional<Value> scalar_value(Scope& scope, const YamlNode& node);
  Place wrong_size(const YamlNode& shape);
  Place shown(const Scope& scope, const Place& place) const;
  std::string shown_path(const Scope& scope, const std::string& path) const;

  const ModelDeclaration& declared_;
  Builder& builder_;
  Diagnostics& diagnostics_;
  Budget& budget_;
  std::map<std::string, const BlockDeclaration*> blocks_;
  std::map<std::string, const YamlNode*> vars_;
  Scope top_;
  std::map<std::string, NodeId> parameters_;
  std::map<std::string, Place> parameter_places_;
  std::map<std::string, std::vector<NodeId>> owners_;
  std::vector<ScheduledInput> scheduled_;
  Claims names_;  ///< of nodes and parameters
  Claims paths_;  ///< of calls: what random draws go by
  std::map<const BlockDeclaration*, std::shared_ptr<const Needs>> needs_;
};

/// Leaves an evaluation whose mistake has been reported.
struct Poisoned {};

/// The value as the kind that the op declares; throws OpError about the attribute.
AttributeValue attribute_from(const Value& value, const AttributeDeclaration& declared);
/// `[batch, 784]`; throws OpError.
Shape shape_from(const Value& value, const std::string& attribute);
/// The initialisers by name, with their arguments.
std::vector<std::string> initializer_names();

/// The base names of all nodes that a formula, or a value with dim(x, …), refers to.
void collect_references(const Expression& expression, std::set<std::string>& names);

}  // namespace graphrun
