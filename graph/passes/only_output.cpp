#include "graph/passes/only_output.hpp"

#include "graph/needed.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {

Graph only_output(const Graph& graph, const OpRegistry& registry, std::string_view name) {
  const NodeId root = graph.output(name);
  Builder builder(registry, graph);
  builder.clear_outputs();
  builder.output(std::string(name), root);
  const std::vector<bool> needed = needed_by(graph, std::span(&root, 1));
  return keep_only(std::move(builder).finish(), registry, needed);
}

}  // namespace graphrun
