/// \file
/// Layers in a graph as the blocks of the model language that they are.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "onnx/import/write_model.hpp"

namespace graphrun::onnx {

using Arguments = std::vector<std::pair<std::string, std::string>>;

/// One entry of `nodes:`.
struct Entry {
  NodeId node = 0;
  std::string key;
  std::string formula;  ///< instead of all below
  std::string op;
  std::vector<NodeId> inputs;
  Arguments arguments;
  std::string stem;                                     ///< of a layer: its path without its number
  long number = -1;                                     ///< of a layer: what its path ends with
  std::string path;                                     ///< under which the file has its weights in our form
  std::vector<std::pair<std::string, NodeId>> weights;  ///< by their names in the block
  std::string repeat;
};

class Blocks {
 public:
  /// Both must outlive it.
  Blocks(const Graph& graph, const Written& options);

  /// The block that computes this node, if it is one and nobody else asks for what is within.
  std::optional<Entry> found(NodeId id) const;

  bool is_variable(NodeId id) const { return options_.variables.contains(id); }
  bool is_output(NodeId id) const { return outputs_.contains(id); }
  /// Only what is written here asks for it.
  bool is_inner(NodeId id) const { return uses_[id] == 1 && !is_output(id); }
  bool learns(NodeId id) const;
  const std::set<NodeId>& outputs() const { return outputs_; }
  /// What differs from the defaults.
  Arguments attributes_of(const Node& node) const;

 private:
  const Node& node(NodeId id) const { return graph_.node(id); }
  bool is_own(NodeId id, std::size_t rank) const {
    return is_variable(id) && uses_[id] == 1 && node(id).type.shape.size() == rank && learns(id);
  }
  bool has_defaults(const Node& node) const { return attributes_of(node).empty(); }
  bool is_all(NodeId id, double number) const;
  std::optional<Entry> layer(NodeId id) const;
  std::optional<Entry> recurrence(NodeId id) const;
  std::optional<Entry> normalisation(NodeId id) const;
  std::optional<Entry> simple(NodeId id) const;

  const Graph& graph_;
  const Written& options_;
  std::vector<std::size_t> uses_;  ///< of what the outputs need
  std::set<NodeId> outputs_;
};

}  // namespace graphrun::onnx
