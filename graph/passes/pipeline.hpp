/// \file
/// The driver of the passes: a straight list. Each pass has a name, a timer, an off-switch and a dump if it
/// changed something, and is followed by verify().
///
/// The order, from the language's graph to one that can be lowered:
///
///     cut                           only for runs that feed inner nodes (decode)
///     specialise_mode               ┐
///     canonicalise                  │ prepare(…): autograd/prepare.hpp
///     expand_gradients              │ a model's own `grad` nodes, innermost first
///     canonicalise                  ┘ again, for what they left
///     append_gradients, optimizer     training only: train/ adds them
///     erase_forwards                ┐
///     dead_nodes                    │
///     exact_identities              │ make_executable(…): below
///     implicit_broadcasts           │
///     fold_constants                │ exact in f64
///     exact_identities              │
///     round_products                │ only for a precision below f32: the one that is not exact
///     common_subexpressions         │
///     dead_nodes                    ┘
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "errors/budget.hpp"
#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "graph/precision.hpp"
#include "graph/verify.hpp"

namespace graphrun {

using PassFunction = Graph(Graph, const OpRegistry&);

struct Pass {
  std::string name;
  std::function<PassFunction> run;
  Stage after = Stage::built;  ///< the stage its result is verified against
  bool optional = true;        ///< false: it makes the graph legal for the next stage and cannot be off
};

struct PassReport {
  std::string name;
  double milliseconds = 0;
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
  bool changed = false;
  bool off = false;
};

struct PassOptions {
  std::set<std::string, std::less<>> off;                           ///< names of optional passes to leave out
  std::function<void(const PassReport&)> report;                    ///< after each pass; may be empty
  std::function<void(const std::string& pass, const Graph&)> dump;  ///< after a pass that changed it
  /// What gradients are charged to, those of all programs that share it; without one each has a whole budget.
  std::shared_ptr<Budget> budget;
  Precision precision = Precision::f32;  ///< of products
};

/// Runs the passes in order. Throws Error{usage} when `off` names a pass that must run.
Graph run_passes(Graph graph, const OpRegistry& registry, std::span<const Pass> passes,
                 const PassOptions& options = {});

/// The last passes before lowering, with updates or without: see above. All are exact.
std::span<const Pass> exact_passes();
Graph make_executable(Graph graph, const OpRegistry& registry, const PassOptions& options = {});

/// Whether two graphs are the same, node by node, names and outputs included.
bool same(const Graph& a, const Graph& b);

}  // namespace graphrun
