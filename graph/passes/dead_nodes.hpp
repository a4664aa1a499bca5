/// \file
/// Dead nodes: what neither a named output nor an effect needs is not computed.
///
/// Safe because a node's only influence is its value; effects are kept, and so is all they read or wait for.
/// Runs after every pass that leaves nodes behind: first and last of the exact passes.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// For each node: do `roots` need it, as a value or as a control?
std::vector<bool> needed_by(const Graph& graph, std::span<const NodeId> roots);

/// The named outputs, the effects and what they need.
Graph remove_dead_nodes(Graph graph, const OpRegistry& registry);

/// The named output `name` alone, and what it needs: no other outputs, no effects that it does not wait for.
Graph only_output(const Graph& graph, const OpRegistry& registry, std::string_view name);

}  // namespace graphrun
