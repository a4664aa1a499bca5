/// \file
/// Reports mistakes in the node that a scope is making: with its name, and the blocks it came through. Inside
/// a standard block a mistake is shown at the call: that is where the reader can do something.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "language/expand/scope.hpp"
#include "language/values/expression.hpp"

namespace graphrun {

Diagnostic& report(const Scope& scope, const Place& place, std::string message, std::string fix = {});
/// A mistake in a formula or value, at its piece of the text; one without a message has been reported.
void report(const Scope& scope, const YamlNode& text, const ExpressionError& error);
/// Reports what the budget has no room for, and leaves the expansion by throwing Abandoned.
[[noreturn]] void abandon(const Scope& scope, const Place& place, const OverBudget& over);

/// Where a mistake at this place is shown.
Place shown(const Scope& scope, const Place& place);
/// Of the node's key; of the node in the file whose standard block is being expanded.
const Place& written_place(const Scope& scope);
/// An argument of a block and where it was written at the call.
struct WrittenArgument {
  std::string name;
  Place place;
};
/// The one that `$name` in a block stands for, or the only one that `$(…)` is made of; nothing for defaults.
std::optional<WrittenArgument> written_argument(const Scope& scope, const YamlNode& node);

/// What `make` makes of the text as a formula; nothing when that is wrong.
template <class Make>
auto of_formula(const Scope& scope, const YamlNode& text, Make make)
    -> decltype(make(std::declval<const Expression&>())) {
  try {
    return make(parse_expression(text.text, Grammar::formula, scope.model.budget()));
  } catch (const ExpressionError& error) {
    report(scope, text, error);
  }
  return {};
}

}  // namespace graphrun
