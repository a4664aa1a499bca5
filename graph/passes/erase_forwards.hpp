/// \file
/// Erases the nodes that are there for gradients only (stop_gradient, straight_through): each stands for its
/// first input.
///
/// Safe because that is their value. Runs after the last gradient is taken, and before the exact passes,
/// which could not see through them.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

Graph erase_forwards(Graph graph, const OpRegistry& registry);

}  // namespace graphrun
