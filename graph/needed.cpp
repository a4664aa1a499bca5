#include "graph/needed.hpp"

#include "graph/op.hpp"

namespace graphrun {

std::vector<NodeId> roots_of(const Graph& graph) {
  std::vector<NodeId> roots;
  for (const NamedOutput& output : graph.outputs()) roots.push_back(output.node);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op->traits.effect) roots.push_back(id);
  }
  return roots;
}

}  // namespace graphrun
