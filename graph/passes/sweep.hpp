/// \file
/// Applies one kind of op-owned rewrite to all nodes, in order, again and again until none applies.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// A replacement must have the type of the node it stands for, else Error{internal}; the same when the rules
/// do not settle within a few sweeps. What is replaced and no longer needed is dropped after each sweep.
Graph sweep_until_settled(Graph graph, const OpRegistry& registry, Canonicalise OpDef::*rule);

}  // namespace graphrun
