#include "graph/passes/exact_identities.hpp"

#include "graph/passes/sweep.hpp"

namespace graphrun {

Graph apply_exact_identities(Graph graph, const OpRegistry& registry) {
  return sweep_until_settled(std::move(graph), registry, &OpDef::simplify);
}

}  // namespace graphrun
