#include "language/expand/names.hpp"

#include <fmt/format.h>

#include "language/expand/mistakes.hpp"

namespace graphrun {
namespace {

void report_taken(const Scope& scope, const Place& place, const std::string& name, const Place& first,
                  std::string message) {
  report(scope, place, std::move(message), "Give one of the two another name.")
      .notes.push_back(
          {scope.model.diagnostics.sources().location(first), fmt::format("'{}' was first made here", name)});
}

}  // namespace

bool claim_name(const Scope& scope, const Place& place, const std::string& name, std::string_view what) {
  if (name.empty()) return true;
  const auto [taken, is_new] = scope.model.names.names.emplace(name, Names::Claim{what, place});
  if (is_new) return true;
  const std::string_view had = taken->second.what;
  report_taken(scope, place, name, taken->second.place,
               fmt::format("'{}' is the name of {} {} already, so no {}{} can have it", name,
                           had.starts_with('i') ? "an" : "a", had, had == what ? "other " : "", what));
  return false;
}

bool claim_path(const Scope& scope, const Place& place, const std::string& path) {
  if (path.empty()) return true;
  const auto [taken, is_new] = scope.model.names.paths.emplace(path, Names::Claim{"node", place});
  if (is_new) return true;
  report_taken(scope, place, path, taken->second.place,
               fmt::format("'{}' is the path of another node already", path));
  return false;
}

void Names::own(const std::string& path, NodeId variable) {
  for (std::size_t end = path.find('.');; end = path.find('.', end + 1)) {
    std::vector<NodeId>& owned = owners[path.substr(0, end)];
    if (owned.empty() || owned.back() != variable) owned.push_back(variable);
    if (end == std::string::npos) return;
  }
}

}  // namespace graphrun
