/// \file
/// Dead nodes: what neither a named output nor an effect needs is not computed.
///
/// Safe because a node's only influence is its value; effects are kept, and so is all they read or wait for.
/// Runs after every pass that leaves nodes behind: first and last of the exact passes.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// The named outputs, the effects and what they need.
Graph remove_dead_nodes(Graph graph, const OpRegistry& registry);

}  // namespace graphrun
