#include "graph/passes/canonicalise.hpp"

#include "graph/passes/sweep.hpp"

namespace graphrun {

Graph canonicalise(const Graph& graph, const OpRegistry& registry) {
  return sweep_until_settled(graph, registry, &OpDef::canonicalise);
}

}  // namespace graphrun
