/// \file
/// Merges nodes that compute the same: the same op of the same inputs, controls and attributes (bit by bit);
/// operands of commutative ops in either order. The first of them stays.
///
/// Safe because ops are functions of these alone, but for those that are never merged: random ops (each draws
/// for its own path), variables, inputs and effects. Runs among the exact passes; linear, by hashing.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

Graph merge_common_subexpressions(Graph graph, const OpRegistry& registry);

}  // namespace graphrun
