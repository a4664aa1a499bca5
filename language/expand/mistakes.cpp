#include "language/expand/mistakes.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace graphrun {
namespace {

bool is_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (auto at = std::ranges::find_if(text, is_letter); at != text.end();) {
    const auto end = std::find_if_not(at, text.end(), is_letter);
    words.emplace_back(at, end);
    at = std::find_if(end, text.end(), is_letter);
  }
  return words;
}

}  // namespace

Place shown(const Scope& scope, const Place& place) {
  const bool inside = scope.standard && place.source == scope.block->place.source;
  return inside ? scope.call_place : place;
}

const Place& written_place(const Scope& scope) {
  const Scope* at = &scope;
  while (at->standard && at->caller != nullptr) at = at->caller;
  return at->node_place;
}

std::optional<WrittenArgument> written_argument(const Scope& scope, const YamlNode& node) {
  if (scope.block == nullptr || !node.is_scalar() || !node.text.starts_with('$')) return std::nullopt;
  std::optional<WrittenArgument> only;
  for (const std::string& name : words_of(node.text)) {
    const auto found = scope.arguments.find(name);
    if (found == scope.arguments.end() || found->second.place.source == scope.block->place.source) continue;
    if (only && only->name != name) return std::nullopt;
    only = WrittenArgument{name, found->second.place};
  }
  return only;
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
  const auto argument = scope.standard ? written_argument(scope, text) : std::nullopt;
  if (argument) return void(report(scope, argument->place, message, error.fix()));
  report(scope, place_in(text, error.offset(), scope.model.diagnostics.sources()), message, error.fix());
}

void abandon(const Scope& scope, const Place& place, const OverBudget& over) {
  report(scope, place, over.message(), over.fix());
  throw Abandoned{};
}

}  // namespace graphrun
