/// \file
/// A graph as a picture in SVG, without Graphviz: layers from inputs to outputs, few crossings, and edges
/// that run around the boxes. The layering, the ordering by means of neighbours and the false nodes on long
/// edges are those of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
/// structures" (1981).
#pragma once

#include <string>

#include "graph/graph.hpp"

namespace graphrun {

/// The most nodes that a picture is made of: nobody can read one of more.
inline constexpr std::size_t most_nodes_of_picture = 3000;

/// Boxes with name, op and type, coloured by part (forward, backward, update); the same text for the same
/// graph. Error{usage} for more than most_nodes_of_picture nodes.
std::string to_svg(const Graph& graph);

}  // namespace graphrun
