/// \file
/// A graph as JSON, for programs: docs/json.md says what the keys mean.
#pragma once

#include "files/json.hpp"
#include "graph/graph.hpp"

namespace graphrun::cli {

/// Each node, in topological order: its position is its `id`.
files::JsonArray json_of_nodes(const Graph& graph);
files::JsonArray json_of_outputs(const Graph& graph);

}  // namespace graphrun::cli
