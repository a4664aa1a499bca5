#include "graph/passes/canonicalise.hpp"

#include "graph/passes/sweep.hpp"

namespace graphrun {

Graph canonicalise(Graph graph, const OpRegistry& registry) {
  return sweep_until_settled(std::move(graph), registry, &OpDef::canonicalise);
}

}  // namespace graphrun
