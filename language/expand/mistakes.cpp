#include "language/expand/mistakes.hpp"

namespace graphrun {

Place shown(const Scope& scope, const Place& place) {
  const bool inside = scope.standard && place.source == scope.block->place.source;
  return inside ? scope.call_place : place;
}

const Place& written_place(const Scope& scope) {
  const Scope* at = &scope;
  while (at->standard && at->caller != nullptr) at = at->caller;
  return at->node_place;
}

std::optional<Place> place_of_argument(const Scope& scope, const YamlNode& node) {
  if (scope.block == nullptr || !node.is_scalar() || !node.text.starts_with('$')) return std::nullopt;
  const auto found = scope.arguments.find(node.text.substr(1));
  if (found == scope.arguments.end() || found->second.place.source == scope.block->place.source)
    return std::nullopt;
  return found->second.place;
}

Diagnostic& report(const Scope& scope, const Place& place, std::string message, std::string fix) {
  Diagnostic& diagnostic =
      scope.model.diagnostics.error(shown(scope, place), std::move(message), std::move(fix));
  diagnostic.node = scope.standard ? scope.shown_node : scope.node;
  diagnostic.notes = listed(scope.notes.get());
  return diagnostic;
}

void report(const Scope& scope, const YamlNode& text, const ExpressionError& error) {
  const std::string message = error.what();
  if (message.empty()) return;
  report(scope, place_in(text, error.offset(), scope.model.diagnostics.sources()), message, error.fix());
}

void abandon(const Scope& scope, const Place& place, const OverBudget& over) {
  report(scope, place, over.message(), over.fix());
  throw Abandoned{};
}

}  // namespace graphrun
