/// \file
/// Nodes of `nodes:`, of a block's body, and of whatever else is written as a node. In: declarations. Out:
/// instances; in a repeat each copy is computed from the one before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "language/expand/scope.hpp"

namespace graphrun {

/// Makes all nodes of a scope, in an order that follows from who uses whom.
void expand(Scope& scope, const std::vector<NodeDeclaration>& nodes);
/// Makes one node; `path` is its written path, `display` the name that it gets.
Instance make(Scope& scope, const NodeDeclaration& declared, const std::string& path,
              const std::string& display);
/// Makes a call whose first input is not written but given, at the top of the model.
std::optional<NodeId> apply(Expansion& model, const NodeDeclaration& declared, NodeId input,
                            const std::string& path);

}  // namespace graphrun
