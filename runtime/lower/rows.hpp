/// \file
/// Which nodes are computed row by row along the batch: what slices and blocks of rows stand on.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun::runtime {

/// Axis 0 of the node is the batch, and each row depends on the same row of its batch inputs alone.
bool runs_by_rows(const Graph& graph, const Node& node);

/// Each row of every output depends on the same row of the inputs alone: not on the other rows, and not on
/// how many there are. Such a graph may be run in blocks of rows. For a graph without effects and dead nodes.
bool rows_are_independent(const Graph& graph);

}  // namespace graphrun::runtime
