/// \file
/// What must be computed to know some values.
#pragma once

#include <concepts>
#include <span>
#include <vector>

#include "graph/graph.hpp"

namespace graphrun {

/// For each node of a Graph or Builder: do `roots` need it, as a value or as a control? What is only needed
/// for values that are `given` is not.
template <class Nodes, std::predicate<NodeId> Given>
std::vector<bool> needed_by(const Nodes& nodes, std::span<const NodeId> roots, Given given) {
  std::vector<bool> needed(nodes.size(), false);
  for (const NodeId root : roots) needed[root] = true;
  for (auto id = static_cast<NodeId>(nodes.size()); id-- > 0;) {
    if (!needed[id] || given(id)) continue;
    for (const NodeId input : nodes.node(id).inputs) needed[input] = true;
    for (const NodeId control : nodes.node(id).controls) needed[control] = true;
  }
  return needed;
}

template <class Nodes>
std::vector<bool> needed_by(const Nodes& nodes, std::span<const NodeId> roots) {
  return needed_by(nodes, roots, [](NodeId) { return false; });
}

/// The named outputs and the effects: what a graph is for.
std::vector<NodeId> roots_of(const Graph& graph);

}  // namespace graphrun
