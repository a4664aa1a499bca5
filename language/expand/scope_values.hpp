/// \file
/// Values: `$name`, `$(…)` and schedules, as a scope sees them. In: what is written. Out: a value, or nothing
/// where a mistake has been reported. The size of a node, dim(x, -1), is known once the node has been made.
#pragma once

#include <optional>
#include <string>

#include "language/expand/scope.hpp"
#include "language/values/evaluate.hpp"

namespace graphrun {

std::optional<Value> value_of(Scope& scope, const YamlNode& node);
/// Of an expression that is a part of `text`.
std::optional<Value> evaluated(Scope& scope, const Expression& expression, const YamlNode& text);
/// What follows `name=` in a formula: a value, a word, or a list of these.
std::optional<Value> keyword_value(Scope& scope, const Expression& expression, const YamlNode& text);
std::optional<Schedule> schedule(Scope& scope, const YamlNode& node);

/// Does `$name` mean something here?
bool is_value_name(const Scope& scope, const std::string& name);

/// Computes all of `vars:`, used or not.
void check_vars(Expansion& model);

/// Of a list that `check` refuses with an OpError, the first item that it refuses alone; else the whole.
template <class Check>
const YamlNode& wrong_item(Scope& scope, const YamlNode& list, Check check) {
  for (const YamlNode& item : list.items) {
    const std::optional<Value> one = value_of(scope, item);
    try {
      check(Value{ValueList{one.value_or(Value{})}});
    } catch (const OpError&) {
      return item;
    }
  }
  return list;
}

}  // namespace graphrun
