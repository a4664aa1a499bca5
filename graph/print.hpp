/// \file
/// A graph as text for people and golden tests, and as DOT for Graphviz.
#pragma once

#include <string>

#include "graph/graph.hpp"

namespace graphrun {

/// One line a node, then one a named output:
///
///     %5 enc.0.z = matmul(%1 x, %3 enc.0.w)  f32[batch, 256]
///     output code = %5 enc.0.z
///
/// Attributes that have their default value are left out; controls follow as "after %4 finite". The text
/// depends on the graph alone and stays as it is from version to version.
std::string to_text(const Graph& graph);

/// Where a node belongs, by what it is for.
enum class Part { forward, backward, update };
Part part_of(const Node& node);

struct DotOptions {
  bool clusters = true;  ///< a box around the nodes of one block ("enc.0")
  bool colours = false;  ///< by part: forward, backward, update
};
std::string to_dot(const Graph& graph, const DotOptions& options = {});

}  // namespace graphrun
