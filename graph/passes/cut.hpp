/// \file
/// Cuts a graph at nodes that the caller will feed: each becomes an input of the same name and type, and
/// what only they needed is dropped.
///
/// Safe because a node's users see only its value, which is fed now. Runs before all other passes, on names
/// as they were written: `decode` feeds the code, and needs no encoder.
#pragma once

#include <span>
#include <string>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// Throws Error{usage} for a name that no node has. Inputs may be named too: they stay.
Graph cut(Graph graph, const OpRegistry& registry, std::span<const std::string> fed);

}  // namespace graphrun
