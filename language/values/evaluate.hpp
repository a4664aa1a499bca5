/// \file
/// The meaning of `$(…)`: integers (checked), floats, texts, lists, true and false. `/` is float division,
/// `//` rounds down, `%` has the sign of the divisor, `+` joins lists; an index counts from 0, a negative one
/// from the end. Functions: len, reverse, min, max, sum, range, sqrt, exp, log, abs, round, floor, ceil, int,
/// float.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "language/values/expression.hpp"

namespace graphrun {

/// Where an expression gets its names from. All may throw ExpressionError.
struct ValueScope {
  /// The value of a name, or nothing when there is none.
  std::function<std::optional<Value>(const std::string& name)> value;
  /// Functions beyond those above, such as dim(x, -1); nothing when it is not one.
  std::function<std::optional<Value>(const Expression& call)> call;
  /// For the suggestion when a name is not found.
  std::function<std::vector<std::string>()> names;
  /// What to do about a name that is known elsewhere but not here; empty when there is nothing to say.
  std::function<std::string(const std::string& name)> hint;
};

/// Throws ExpressionError with the offset of the piece that is wrong, OverBudget.
Value evaluate(const Expression& expression, const ValueScope& scope, Budget& budget);

}  // namespace graphrun
