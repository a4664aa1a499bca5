#include "graph/passes/exact_identities.hpp"

#include "graph/passes/sweep.hpp"

namespace graphrun {

Graph apply_exact_identities(const Graph& graph, const OpRegistry& registry) {
  return sweep_until_settled(graph, registry, &OpDef::simplify);
}

}  // namespace graphrun
