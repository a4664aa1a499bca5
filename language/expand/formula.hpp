/// \file
/// Formulas. In: a text such as `mu + exp(0.5 * logvar) * eps`. Out: the node of the whole, or nothing where
/// a mistake has been reported. The last operation gets the given path and name; a call further inside gets
/// PATH/OP, so that random draws inside formulas have paths of their own.
#pragma once

#include <optional>
#include <string>

#include "language/expand/scope.hpp"

namespace graphrun {

std::optional<NodeId> formula(Scope& scope, const YamlNode& text, const std::string& path,
                              const std::string& display);

}  // namespace graphrun
