/// \file
/// A local rewrite: one node, and what had better stand for it. Ops own most rules (OpDef::rules); a few ask
/// for traits and belong to a pass. All run in one driver: graph/passes/apply_rules.hpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace graphrun {

/// How much of a value a rule leaves as it is, and so when it may run. A generated test holds each rule to
/// it.
enum class Phase {
  /// Equal in real arithmetic; rounding may change, for the better. Before gradients are made: a named output
  /// keeps its value, not its bits.
  real,
  /// Equal bits for any input, in f64 and in the f32 kernels one by one. After gradients, which leave many
  /// things to simplify; where the rule is `early`, before them too.
  exact,
  /// Equal in real arithmetic, and made of sums over the rows of the batch, for an op that needs all of them
  /// at once: where a batch is cut into ranges of rows, ops that add rows (Traits::adds_rows) can be. Only in
  /// graphs that are cut so, after everything else.
  sums
};

struct RuleContext {
  Builder& builder;
  const Node& node;  ///< its inputs are ids of the builder; not added yet
};
/// A node of the same type that stands for this one, or nothing to keep it.
using Rewrite = std::function<std::optional<NodeId>(RuleContext&)>;

struct Rule {
  std::string name;  ///< unique, in reports and tests: "log_of_sigmoid"
  Phase phase = Phase::exact;
  Rewrite rewrite;
  /// The attributes that the rewrite accounts for, whatever their value. It is only asked where all others
  /// have their defaults: an attribute that is new to an op is never lost by a rule that knows nothing of it.
  std::vector<std::string> keeps = {};
  bool early = false;
};

/// Do all attributes of a node have their defaults, but for those that are named?
bool has_defaults(const Node& node, const std::vector<std::string>& except = {});

}  // namespace graphrun
