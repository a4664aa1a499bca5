/// \file
/// The driver of all local rewrites: visits the nodes in order, asks each rule that fits, and lets the first
/// answer stand for the node.
///
/// Safe as far as each rule is: `real` ones hold in real arithmetic and run before autograd, which makes
/// gradients of what they leave; after it only `exact` ones run. A rule is not asked of a node with controls,
/// nor of one with an attribute that it does not keep.
#pragma once

#include <functional>
#include <span>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "graph/rule.hpp"

namespace graphrun {

/// The ops' own rules to a better form, log(sigmoid z) to −softplus(−z) and so on, and the exact ones that
/// are `early`; swept until nothing changes.
Graph apply_real_rules(Graph graph, const OpRegistry& registry);

/// The ops' own exact rules, x·1, x − 0, −(−x), a reshape of a reshape, …; swept until nothing changes.
Graph apply_exact_rules(Graph graph, const OpRegistry& registry);

/// The ops' own rules that make sums over rows of them; swept until nothing changes.
Graph apply_sum_rules(Graph graph, const OpRegistry& registry);

/// The ops' own rules that are chosen; swept until nothing changes. What is replaced and no longer needed is
/// dropped after each sweep. Throws Error{internal} when a replacement has another type than the node it
/// stands for, or when the rules do not settle: two of them undo each other.
Graph apply_rules(Graph graph, const OpRegistry& registry, const std::function<bool(const Rule&)>& chosen);

/// Asks these rules of every node, once: for rules whose results give them nothing more to do.
Graph apply_once(Graph graph, const OpRegistry& registry, std::span<const Rule> rules);

}  // namespace graphrun
