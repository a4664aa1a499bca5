/// \file
/// Reverse-mode differentiation: one Graph → Graph step that writes the backward graph as ordinary nodes, so
/// that gradients of gradients work. Every op brings its own vjp; this pass sums fan-out (with `add`, in
/// descending order of the users), undoes broadcasts, and skips what needs no gradient: nodes that do not
/// depend on the asked ones, integers, and ops whose gradient is declared zero.
#pragma once

#include <span>
#include <vector>

#include "errors/budget.hpp"
#include "graph/graph.hpp"

namespace graphrun {

/// Appends d(sum of y's elements)/d(node) for each node of `wrt`, and returns the gradients in that order,
/// each of its node's type. Where y does not depend on a node, its gradient is zeros. New nodes take the
/// origin of the node they are the gradient of, and the name "grad/NAME:op". Throws ModelError when a needed
/// op is not differentiable: it names the node, the reason and the way from there to y.
/// Linear in the size of the graph; no recursion. New nodes are charged to the budget, if there is one:
/// throws OverBudget.
std::vector<NodeId> append_gradients(Builder& builder, NodeId y, std::span<const NodeId> wrt,
                                     Budget* budget = nullptr);

/// The same for a given dL/dy, of y's shape: dL/d(node) = Σ cotangent · dy/d(node).
std::vector<NodeId> append_gradients(Builder& builder, NodeId y, NodeId cotangent,
                                     std::span<const NodeId> wrt, Budget* budget = nullptr);

/// Replaces every `grad(y, x)` node by the gradient it asks for. Runs in the order of the nodes, so that the
/// gradient of an expression with a `grad` in it sees ordinary nodes: innermost first. A gradient of a
/// gradient is some times as large as that: throws ModelError at the `grad` node that is over the budget.
Graph expand_gradients(Graph graph, const OpRegistry& registry, Budget& budget);
Graph expand_gradients(Graph graph, const OpRegistry& registry);  ///< with a whole budget of its own

}  // namespace graphrun
