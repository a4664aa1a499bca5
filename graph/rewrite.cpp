#include "graph/rewrite.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace graphrun {
namespace {

constexpr NodeId dropped = std::numeric_limits<NodeId>::max();

void translate(std::vector<NodeId>& ids, const std::vector<NodeId>& map) {
  for (NodeId& id : ids) {
    if (map[id] == dropped) throw Error(ErrorCode::internal, "a node uses one that a pass has dropped");
    id = map[id];
  }
}

/// Is `inner` what a block has come to, after the node of the block's own name has vanished?
bool is_last_of(const Node& block, const Node& inner) {
  const Traits& traits = inner.op->traits;
  return !traits.variable && !traits.input && inner.name.starts_with(block.name + ".");
}

/// The nodes of a graph on their way to another.
class Passage {
 public:
  Passage(Graph graph, const OpRegistry& registry)
      : outputs_(graph.outputs().begin(), graph.outputs().end()),
        map_(graph.size(), dropped),
        retyped_(graph.size()),
        builder_(Builder::again(registry, std::move(graph))) {}

  std::size_t size() const { return map_.size(); }
  Builder& builder() { return builder_; }

  /// A node with its inputs and controls translated.
  Node take(NodeId id) {
    Node node = builder_.take(id);
    if (builder_.is_unchanged()) return node;
    inputs_retyped_ = std::ranges::any_of(node.inputs, [this](NodeId input) { return retyped_[input]; });
    translate(node.inputs, map_);
    translate(node.controls, map_);
    return node;
  }

  /// Keeps the node that was taken last.
  void keep(NodeId id, Node node) {
    if (!inputs_retyped_) {
      map_[id] = builder_.keep(std::move(node), false);
      return;
    }
    const Type before = node.type;
    replace(id, before, builder_.keep(std::move(node), true));
  }

  void drop() { builder_.drop(); }

  /// Another node stands for the one that was taken last, which has this type.
  void replace(NodeId id, const Type& before, NodeId replacement) {
    builder_.drop();
    map_[id] = replacement;
    retyped_[id] = builder_.type(replacement) != before;
  }

  Graph finish() {
    if (builder_.is_unchanged()) return std::move(builder_).finish();
    for (NamedOutput& output : outputs_) {
      if (map_[output.node] != dropped) builder_.output(std::move(output.name), map_[output.node]);
    }
    return std::move(builder_).finish();
  }

 private:
  std::vector<NamedOutput> outputs_;
  std::vector<NodeId> map_;
  std::vector<bool> retyped_;
  Builder builder_;
  bool inputs_retyped_ = false;
};

}  // namespace

Graph rewrite(Graph graph, const OpRegistry& registry, const Visit& visit) {
  Passage passage(std::move(graph), registry);
  Builder& builder = passage.builder();
  for (NodeId id = 0; id < passage.size(); ++id) {
    Node node = passage.take(id);
    builder.serve(node);
    const std::size_t size_before = builder.size();
    const std::optional<NodeId> replacement = visit(builder, node, id);
    if (!replacement) {
      passage.keep(id, std::move(node));
      continue;
    }
    passage.replace(id, node.type, *replacement);
    if (*replacement >= size_before || is_last_of(node, builder.node(*replacement)))
      builder.rename(*replacement, std::move(node.name));
  }
  return passage.finish();
}

Graph keep_only(Graph graph, const OpRegistry& registry, const std::vector<bool>& keep) {
  Passage passage(std::move(graph), registry);
  for (NodeId id = 0; id < passage.size(); ++id) {
    if (keep[id]) {
      passage.keep(id, passage.take(id));
    } else {
      passage.drop();
    }
  }
  return passage.finish();
}

}  // namespace graphrun
