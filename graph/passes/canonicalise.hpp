/// \file
/// Op-owned rewrites to a better form, swept until nothing changes: log(sigmoid z) to −softplus(−z), and so
/// on.
///
/// Each rule belongs to the op of the node it replaces and holds in real arithmetic; it may change rounding,
/// for the better. So it runs before autograd, where gradients are still to be made of what it leaves; after
/// that only exact rewrites are allowed. A named output keeps its value, not necessarily its bits.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// Throws Error{internal} when the rules do not settle: two of them undo each other.
Graph canonicalise(Graph graph, const OpRegistry& registry);

}  // namespace graphrun
