/// \file
/// References to nodes: `enc`, `enc.1`, `enc.$(n - 1)`, `enc.mu`, `code.w`, and what `tie:` and `like:` name.
/// In: what is written. Out: a node that has been made, or nothing where a mistake has been reported.
#pragma once

#include <optional>

#include "language/expand/scope.hpp"
#include "language/values/expression.hpp"

namespace graphrun {

/// The node of a name or reference, which is a part of `text`.
std::optional<NodeId> node_of(Scope& scope, const Expression& reference, const YamlNode& text);
/// What a text as a whole names, where only nodes themselves may be named; null when it is wrong.
const Instance* named(Scope& scope, const YamlNode& reference);
/// The parameter that `tie:` means: the weight of the node, or the one that it names itself. Other values, as
/// null, are themselves. `reference`: what is written in a formula; null: `text` is all of it.
std::optional<Value> tied(Scope& scope, const Place& place, const YamlNode& text,
                          const Expression* reference);
/// The node that `like:` names; the same way.
std::optional<NodeId> likened(Scope& scope, const Place& place, const YamlNode& text,
                              const Expression* reference);

}  // namespace graphrun
