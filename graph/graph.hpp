/// \file
/// The intermediate representation: an immutable, topologically numbered DAG of op applications. The Builder
/// is the only way to add a node, and infers its type. Passes loop over ids and never recurse.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/attribute.hpp"
#include "graph/block_list.hpp"
#include "graph/hash_table.hpp"
#include "graph/type.hpp"
#include "graphrun/error.hpp"

namespace graphrun {

struct OpDef;
class OpRegistry;

using NodeId = std::uint32_t;  ///< index into the graph; an input's id is smaller than its user's

/// Where a node was written. Nodes made by passes and by autograd carry the origin of the node they serve.
struct Origin {
  std::string path;      ///< "enc.1": the written path; keys random streams and names parameters
  SourceLocation where;  ///< of the node's key in the model file
  std::vector<Diagnostic::Note> notes;  ///< the blocks it came through, innermost first
};

struct Node {
  const OpDef* op = nullptr;
  std::vector<NodeId> inputs;
  std::vector<NodeId> controls;  ///< must have run before; no value flows
  Attributes attributes;
  Type type;
  std::string name;  ///< unique in its graph; of a variable or an input, what the host knows it by
  std::shared_ptr<const Origin> origin;
};

/// A value that a caller may ask for by name. Roots for dead-node elimination, as are nodes with effects.
struct NamedOutput {
  std::string name;
  NodeId node = 0;
};

class Graph {
 public:
  Graph() = default;
  std::size_t size() const { return nodes_.size(); }
  const Node& node(NodeId id) const { return nodes_[id]; }
  const BlockList<Node>& nodes() const { return nodes_; }
  std::span<const NamedOutput> outputs() const { return outputs_; }
  /// The node of a named output; throws Error{usage} that lists the names.
  NodeId output(std::string_view name) const;
  bool has_output(std::string_view name) const;
  /// The node with this name, or nothing. Linear; for reports and tests.
  std::optional<NodeId> find(std::string_view name) const;
  /// Whether verify() has found its links, names and types right.
  bool is_verified() const { return verified_; }
  void set_verified() { verified_ = true; }

 private:
  friend class Builder;
  BlockList<Node> nodes_;
  std::vector<NamedOutput> outputs_;
  bool verified_ = false;
};

/// What goes with a new node beside its op and inputs. An empty name becomes "SCOPE:OP", or "OP:ID" without a
/// scope; a taken one gets "_2". Written paths are words and dots, and what the program adds to a model by
/// name has a "/" ("adam/enc.0.w/m"): neither is ever met by a name that is made here. Variables and inputs
/// are known to the host by their names, so none gets another: a taken one is an Error{internal}.
struct NodeDetails {
  std::string name = {};
  std::shared_ptr<const Origin> origin = {};
  std::vector<NodeId> controls = {};
};

/// A mistake in one node, found by its op: the language adds the place, the Builder the node and op.
class OpError : public Error {
 public:
  explicit OpError(std::string message, std::string fix = {}, std::string about = {});
  const std::string& fix() const noexcept { return fix_; }
  /// The attribute or input it is about, by name; empty: the node as a whole.
  const std::string& about() const noexcept { return about_; }

 private:
  std::string fix_;
  std::string about_;
};

/// Builds a Graph node by node. References to nodes stay valid while nodes are added. Not thread-safe.
class Builder {
 public:
  explicit Builder(const OpRegistry& registry) : registry_(&registry) {}
  /// Goes on where a graph has ended; its outputs stay.
  Builder(const OpRegistry& registry, Graph graph) : registry_(&registry), graph_(std::move(graph)) {}
  /// Goes through a graph again, for rewrite(): its nodes wait to be taken, each once, in order.
  static Builder again(const OpRegistry& registry, Graph graph);

  /// Adds an op by name; throws OpError when the inputs or attributes do not fit it.
  NodeId add(std::string_view op, std::vector<NodeId> inputs, Attributes attributes, NodeDetails details);
  NodeId add(std::string_view op, std::vector<NodeId> inputs, Attributes attributes = {});
  /// Adds a node like another, with other inputs and controls.
  NodeId add_like(const Node& node, std::vector<NodeId> inputs, std::vector<NodeId> controls);
  void output(std::string name, NodeId node);
  void clear_outputs();
  /// Gives a node another name; like every name, it gets "_2" when it is taken.
  void rename(NodeId id, std::string name);

  const Node& node(NodeId id) const { return graph_.nodes_[id]; }
  const Type& type(NodeId id) const { return node(id).type; }
  std::size_t size() const { return graph_.nodes_.size() - to_come_; }
  const OpRegistry& registry() const { return *registry_; }

  /// Nodes added from now on take this origin unless they bring their own, and a name in this scope.
  void set_origin(std::shared_ptr<const Origin> origin, std::string_view scope = {}) {
    served_ = nullptr;
    origin_ = std::move(origin);
    scope_ = scope;
  }
  /// The same by a node, which must stay until the next call: its origin, and its name as scope.
  void serve(const Node& node) { served_ = &node; }

  /// A scalar constant (f32).
  NodeId constant(double value);

  // ---- Going through a graph again ----

  /// As long as every node that was taken is kept, all stay where they are, with their ids.
  bool is_unchanged() const { return again_ && !waiting_begin_; }
  Node take(NodeId id);
  /// Adds the node that was taken last, once its inputs and controls are ids of this builder. Its type is
  /// inferred again if its inputs have changed theirs.
  NodeId keep(Node node, bool inputs_changed_type);
  /// A node is left out, taken or not. Outputs are then the caller's to add again.
  void drop() { make_room(); }

  Graph finish() &&;

 private:
  NodeId append(Node node);
  void make_room();
  Type inferred(const Node& node) const;
  std::string_view scope() const { return served_ != nullptr ? served_->name : scope_; }
  std::string unique_name(std::string wanted, const OpDef& op);
  bool is_taken(std::string_view name) const;
  void count_names();

  const OpRegistry* registry_;
  Graph graph_;
  std::shared_ptr<const Origin> origin_;
  std::string scope_;
  const Node* served_ = nullptr;  ///< instead of the two above
  bool again_ = false;
  std::size_t to_come_ = 0;  ///< nodes at the end of the graph that have not been kept yet
  BlockList<Node> waiting_;  ///< the same, once something has changed: from this id on
  std::optional<std::size_t> waiting_begin_;
  /// How often each name was wanted, by its hash: were two hashes ever the same, one more name would get a
  /// number. Only counted from the first new name on; names that are taken over do not meet each other.
  HashTable name_uses_;
  bool counts_names_ = false;
};

}  // namespace graphrun
