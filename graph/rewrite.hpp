/// \file
/// The loop that every Graph → Graph pass shares. Nodes that are kept are moved, not copied: a pass costs
/// what it changes.
#pragma once

#include <functional>
#include <optional>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// Visits the nodes in order. `visit` gets each node with its inputs and controls already translated to the
/// builder, and returns the id that stands for it there, or nothing to keep it as it is. Named outputs
/// follow. Nodes that `visit` adds take the origin of the visited node and names in its scope; one that
/// stands for it takes its very name, so that names survive, and so does an earlier one named below it: a
/// block whose last node falls away keeps its name. A dropped node must not be used by a later one.
using Visit = std::function<std::optional<NodeId>(Builder& builder, const Node& translated, NodeId original)>;
Graph rewrite(Graph graph, const OpRegistry& registry, const Visit& visit);

/// Only the nodes marked in `keep`; the named outputs among them are kept.
Graph keep_only(Graph graph, const OpRegistry& registry, const std::vector<bool>& keep);

}  // namespace graphrun
