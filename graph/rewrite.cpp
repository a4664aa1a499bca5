#include "graph/rewrite.hpp"

#include <limits>

namespace graphrun {
namespace {

constexpr NodeId dropped = std::numeric_limits<NodeId>::max();

std::vector<NodeId> translate(const std::vector<NodeId>& ids, const std::vector<NodeId>& map) {
  std::vector<NodeId> translated;
  translated.reserve(ids.size());
  for (const NodeId id : ids) {
    if (map[id] == dropped) throw Error(ErrorCode::internal, "a node uses one that a pass has dropped");
    translated.push_back(map[id]);
  }
  return translated;
}

/// Is `inner` what a block has come to, after the node of the block's own name has vanished?
bool is_last_of(const Node& block, const Node& inner) {
  const Traits& traits = inner.op->traits;
  return !traits.variable && !traits.input && inner.name.starts_with(block.name + ".");
}

}  // namespace

Graph rewrite(const Graph& graph, const OpRegistry& registry, const Visit& visit) {
  Builder builder(registry);
  std::vector<NodeId> map(graph.size(), dropped);
  for (NodeId id = 0; id < graph.size(); ++id) {
    Node node = graph.node(id);
    node.inputs = translate(node.inputs, map);
    node.controls = translate(node.controls, map);
    builder.set_origin(node.origin, node.name);
    const std::size_t size_before = builder.size();
    const std::optional<NodeId> replacement = visit(builder, node, id);
    map[id] = replacement ? *replacement : builder.add_like(node, node.inputs, node.controls);
    if (map[id] >= size_before || is_last_of(node, builder.node(map[id]))) builder.rename(map[id], node.name);
  }
  for (const NamedOutput& output : graph.outputs()) builder.output(output.name, map[output.node]);
  return std::move(builder).finish();
}

Graph keep_only(const Graph& graph, const OpRegistry& registry, const std::vector<bool>& keep) {
  Builder builder(registry);
  std::vector<NodeId> map(graph.size(), dropped);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!keep[id]) continue;
    const Node& node = graph.node(id);
    map[id] = builder.add_like(node, translate(node.inputs, map), translate(node.controls, map));
  }
  for (const NamedOutput& output : graph.outputs()) {
    if (keep[output.node]) builder.output(output.name, map[output.node]);
  }
  return std::move(builder).finish();
}

}  // namespace graphrun
