#include "graph/passes/dead_nodes.hpp"

#include <algorithm>
#include <utility>

#include "graph/needed.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {

Graph remove_dead_nodes(Graph graph, const OpRegistry& registry) {
  const std::vector<bool> needed = needed_by(graph, roots_of(graph));
  if (std::ranges::find(needed, false) == needed.end()) return graph;
  return keep_only(std::move(graph), registry, needed);
}

}  // namespace graphrun
