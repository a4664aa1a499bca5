#include "graph/passes/dead_nodes.hpp"

#include <algorithm>
#include <utility>

#include "graph/rewrite.hpp"

namespace graphrun {

std::vector<bool> needed_by(const Graph& graph, std::span<const NodeId> roots) {
  std::vector<bool> needed(graph.size(), false);
  for (const NodeId root : roots) needed[root] = true;
  for (auto id = static_cast<NodeId>(graph.size()); id-- > 0;) {
    if (!needed[id]) continue;
    for (const NodeId input : graph.node(id).inputs) needed[input] = true;
    for (const NodeId control : graph.node(id).controls) needed[control] = true;
  }
  return needed;
}

Graph remove_dead_nodes(Graph graph, const OpRegistry& registry) {
  std::vector<NodeId> roots;
  for (const NamedOutput& output : graph.outputs()) roots.push_back(output.node);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op->traits.effect) roots.push_back(id);
  }
  const std::vector<bool> needed = needed_by(graph, roots);
  if (std::ranges::find(needed, false) == needed.end()) return graph;
  return keep_only(std::move(graph), registry, needed);
}

Graph only_output(const Graph& graph, const OpRegistry& registry, std::string_view name) {
  const NodeId root = graph.output(name);
  const std::vector<bool> needed = needed_by(graph, std::span(&root, 1));
  Builder builder(registry);
  std::vector<NodeId> map(graph.size());
  const auto translated = [&map](std::vector<NodeId> ids) {
    for (NodeId& id : ids) id = map[id];
    return ids;
  };
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!needed[id]) continue;
    const Node& node = graph.node(id);
    map[id] = builder.add_like(node, translated(node.inputs), translated(node.controls));
  }
  builder.output(std::string(name), map[root]);
  return std::move(builder).finish();
}

}  // namespace graphrun
