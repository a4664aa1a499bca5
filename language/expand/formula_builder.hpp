/// \file
/// Makes the nodes of a formula. Internal to language.
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
  std::optional<NodeId> constant(const Expression& e, std::vector<double> numbers, Shape shape = {});
  CallSite site(const Expression& e, const std::string& op, bool outermost);
  Place at(std::size_t offset);
  Place at(const Expression& e) { return at(e.offset); }

  Expander& expander_;
  Scope& scope_;
  const YamlNode& text_;
  std::string path_;
  std::string display_;
  std::set<std::string> used_;
  std::vector<std::size_t> offsets_;  ///< offsets_in(text_), once a place is asked for
};

}  // namespace graphrun
