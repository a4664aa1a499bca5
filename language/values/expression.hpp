/// \file
/// One grammar for the two small languages of a model file. A *formula* (`mu + exp(0.5 * logvar) * eps`)
/// makes nodes; an *expression* (`$(len(back) - index)`) makes a value before anything runs. Both have
/// numbers, names, calls and operators; `$x` and `$(…)` are leaves of a formula. Which of it means something
/// is decided by who walks the tree: language/values/evaluate.hpp for values,
/// language/expand/formula.hpp for nodes.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "language/values/value.hpp"

namespace graphrun {

struct Expression {
  enum class Kind {
    constant,     ///< `value`
    name,         ///< `name`
    reference,    ///< `enc.1`, `enc.$(…)`: children are the parts: a name, then constants or hosts
    list,         ///< children
    unary,        ///< `name` is the operator: - or not
    binary,       ///< `name` is the operator
    conditional,  ///< children: value, condition, otherwise
    call,         ///< `name`(children…, keywords…)
    index,        ///< children: list, index
    slice,        ///< children: list, start, stop; a missing bound is a constant null
    host          ///< `$x` or `$(…)` in a formula: one child, an expression
  };
  struct Keyword;

  Kind kind = Kind::constant;
  std::size_t offset = 0;  ///< of its operator or first character in the text
  std::string name;
  Value value;
  std::vector<Expression> children;
  std::vector<Keyword> keywords;
  int depth = 1;  ///< of the tree below
};

struct Expression::Keyword {
  std::string name;
  std::size_t offset = 0;
  Expression value;
};

/// What is wrong at a character of the text. Caught by who knows where the text stands.
class ExpressionError : public std::runtime_error {
 public:
  ExpressionError(std::size_t offset, const std::string& message, std::string fix = {})
      : std::runtime_error(message), offset_(offset), fix_(std::move(fix)) {}
  std::size_t offset() const noexcept { return offset_; }
  const std::string& fix() const noexcept { return fix_; }

 private:
  std::size_t offset_;
  std::string fix_;
};

enum class Grammar {
  formula,    ///< `$` makes host leaves
  expression  ///< names are values; `$` is an error
};

/// The tree is at most 100 deep. Throws ExpressionError, OverBudget.
Expression parse_expression(std::string_view text, Grammar grammar, Budget& budget);

/// Is this text `$name` or `$(…)` as a whole? Then it stands for a value. `$(a) + x` is not.
bool is_value_reference(std::string_view text);

}  // namespace graphrun
