/// \file
/// Makes the nodes of a formula. Internal to graph/yaml.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "language/expand/expander.hpp"

namespace graphrun {

/// One use makes one formula. The last operation gets the node's own path and name; a call further inside
/// gets PATH/OP, so that random draws inside formulas have paths of their own.
class FormulaBuilder {
 public:
  FormulaBuilder(Expander& expander, Scope& scope, const YamlNode& text, std::string path,
                 std::string display)
      : expander_(expander),
        scope_(scope),
        text_(text),
        path_(std::move(path)),
        display_(std::move(display)) {}

  /// The node, or nothing when it is wrong.
  std::optional<NodeId> whole(const Expression& expression);

 private:
  std::optional<NodeId> node(const Expression& e, bool outermost);
  std::optional<NodeId> operation(const Expression& e, bool outermost);
  std::optional<NodeId> call(const Expression& e, bool outermost);
  std::optional<NodeId> number(const Expression& e, const Value& value);
  CallSite site(const Expression& e, const std::string& op, bool outermost);
  Place at(const Expression& e) const;

  Expander& expander_;
  Scope& scope_;
  const YamlNode& text_;
  std::string path_;
  std::string display_;
  std::set<std::string> used_;
};

}  // namespace graphrun
