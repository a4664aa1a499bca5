#include "language/values/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "errors/nearest.hpp"

namespace graphrun {
namespace {

using Kind = Expression::Kind;

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = {"len",   "reverse", "pair", "min",  "max", "sum",
                                                 "range", "sqrt",    "exp",  "log",  "abs", "round",
                                                 "floor", "ceil",    "int",  "float"};
  return names;
}

[[noreturn]] void fail(const Expression& at, const std::string& message, std::string fix = {}) {
  throw ExpressionError(at.offset, message, std::move(fix));
}

Value checked_size(const Expression& at, Value value) {
  if (std::string mistake = excess(value); !mistake.empty()) fail(at, mistake);
  return value;
}

Value finite(const Expression& at, double number) {
  if (!std::isfinite(number)) fail(at, "the result is no finite number");
  return {number};
}

double number_of(const Expression& at, const Value& value) {
  const std::optional<double> number = value.number();
  if (!number) fail(at, fmt::format("a number is expected, not {}", described(value)));
  return *number;
}

std::int64_t integer_of(const Expression& at, const Value& value) {
  const std::int64_t* integer = value.integer();
  if (integer == nullptr)
    fail(at, fmt::format("an integer is expected, not {}", described(value)),
         value.number() ? "`//` divides integers; int(…) makes one." : "");
  return *integer;
}

bool flag_of(const Expression& at, const Value& value) {
  const bool* flag = value.flag();
  if (flag == nullptr) fail(at, fmt::format("true or false is expected, not {}", described(value)));
  return *flag;
}

const ValueList& list_of(const Expression& at, const Value& value) {
  const ValueList* list = value.list();
  if (list == nullptr) fail(at, fmt::format("a list is expected, not {}", described(value)));
  return *list;
}

/// `result` by reference: it is written by the very expression that gives `overflow`.
std::int64_t fits(const Expression& at, bool overflow, const std::int64_t& result) {
  if (overflow) fail(at, "the integer result is too large", "Use floats: 1.0 instead of 1.");
  return result;
}

std::int64_t integer_power(const Expression& at, std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  // Only -1, 0 and 1 survive many steps; their powers repeat with period two.
  if (base >= -1 && base <= 1) exponent = exponent == 0 ? 0 : 2 - exponent % 2;
  for (std::int64_t i = 0; i < exponent; ++i) {
    const bool overflow = __builtin_mul_overflow(result, base, &result);
    fits(at, overflow, result);
  }
  return result;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Value integer_arithmetic(const Expression& at, char symbol, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (symbol) {
    case '+':
      return {fits(at, __builtin_add_overflow(a, b, &result), result)};
    case '-':
      return {fits(at, __builtin_sub_overflow(a, b, &result), result)};
    case '*':
      return {fits(at, __builtin_mul_overflow(a, b, &result), result)};
    default:
      break;
  }
  if (b == 0) fail(at, "division by zero");
  if (b == -1) return symbol == '%' ? Value{std::int64_t{0}} : integer_arithmetic(at, '-', 0, a);
  if (symbol == '%') return {a - b * floor_divide(a, b)};
  return {floor_divide(a, b)};
}

Value float_arithmetic(const Expression& at, std::string_view symbol, double a, double b) {
  if (symbol == "+") return finite(at, a + b);
  if (symbol == "-") return finite(at, a - b);
  if (symbol == "*") return finite(at, a * b);
  if (symbol == "**") return finite(at, std::pow(a, b));
  if (b == 0) fail(at, "division by zero");
  if (symbol == "/") return finite(at, a / b);
  if (symbol == "//") return finite(at, std::floor(a / b));
  return finite(at, a - b * std::floor(a / b));
}

Value arithmetic(const Expression& at, const Value& left, const Value& right) {
  const std::string& symbol = at.name;
  if (symbol == "@") fail(at, "'@' multiplies nodes; inside $( ) there are only values");
  if (symbol == "+" && left.list() != nullptr && right.list() != nullptr) {
    ValueList joined = *left.list();
    joined.insert(joined.end(), right.list()->begin(), right.list()->end());
    return checked_size(at, {std::move(joined)});
  }
  if (!left.number() || !right.number()) {
    fail(at, fmt::format("'{}' does not work on {} and {}", symbol, described(left), described(right)));
  }
  const std::int64_t* a = left.integer();
  const std::int64_t* b = right.integer();
  const bool whole = a != nullptr && b != nullptr;
  if (whole && symbol == "**" && *b >= 0) return {integer_power(at, *a, *b)};
  if (whole && symbol != "/" && symbol != "**") return integer_arithmetic(at, symbol.front(), *a, *b);
  return float_arithmetic(at, symbol, *left.number(), *right.number());
}

Value comparison(const Expression& at, const Value& left, const Value& right) {
  const std::string& symbol = at.name;
  const bool numbers = left.number() && right.number();
  if (symbol == "==" || symbol == "!=") {
    const bool equal = numbers ? *left.number() == *right.number() : left == right;
    return {equal == (symbol == "==")};
  }
  int order = 0;
  if (numbers) {
    order = *left.number() < *right.number() ? -1 : *left.number() > *right.number() ? 1 : 0;
  } else if (left.text() != nullptr && right.text() != nullptr) {
    order = left.text()->compare(*right.text());
  } else {
    fail(at, fmt::format("'{}' does not compare {} and {}", symbol, described(left), described(right)));
  }
  if (symbol == "<") return {order < 0};
  if (symbol == ">") return {order > 0};
  return {symbol == "<=" ? order <= 0 : order >= 0};
}

class Evaluator {
 public:
  Evaluator(const ValueScope& scope, Budget& budget) : scope_(scope), budget_(budget) {}

  Value value(const Expression& e) const {
    const Budget::Level level(budget_, frames);
    budget_.spend(Resource::steps, 1);
    switch (e.kind) {
      case Kind::constant:
        return e.value;
      case Kind::name:
        return named(e);
      case Kind::reference:
        fail(e, "a node has no value before the model runs", "dim(node, axis) is its size.");
      case Kind::list:
        return list(e);
      case Kind::unary:
        return unary(e);
      case Kind::binary:
        return binary(e);
      case Kind::conditional:
        return value(e.children[flag_of(e.children[1], value(e.children[1])) ? 0 : 2]);
      case Kind::call:
        return call(e);
      case Kind::index:
        return index(e);
      case Kind::slice:
        return slice(e);
      case Kind::host:
        return value(e.children.front());
    }
    return {};
  }

 private:
  static constexpr std::size_t frames = 1024;  // of value() and what it calls to get to itself

  /// A list of so many elements is made.
  void makes(std::size_t elements) const {
    budget_.spend(Resource::elements, elements);
    budget_.spend(Resource::steps, elements);
  }

  Value named(const Expression& e) const {
    if (scope_.value) {
      if (std::optional<Value> found = scope_.value(e.name)) return *found;
    }
    if (e.name == "batch") {
      fail(e, "the batch is not known before the model runs",
           "In a formula `batch` is the count; in a shape it is the axis.");
    }
    std::string fix = scope_.hint ? scope_.hint(e.name) : std::string();
    if (fix.empty()) fix = suggestion(e.name, scope_.names ? scope_.names() : std::vector<std::string>());
    fail(e, fmt::format("there is no value '{}' here", e.name), std::move(fix));
  }

  Value list(const Expression& e) const {
    makes(e.children.size());
    ValueList items;
    items.reserve(e.children.size());
    for (const Expression& child : e.children) items.push_back(value(child));
    return checked_size(e, {std::move(items)});
  }

  Value unary(const Expression& e) const {
    const Value inner = value(e.children.front());
    if (e.name == "not") return {!flag_of(e, inner)};
    if (const std::int64_t* integer = inner.integer()) return integer_arithmetic(e, '-', 0, *integer);
    return {-number_of(e, inner)};
  }

  /// A chain of operators, `a + b + c`, is a tree that is deep on its left: walked without recursion.
  Value binary(const Expression& e) const {
    std::vector<const Expression*> chain = {&e};
    while (chain.back()->children[0].kind == Kind::binary) chain.push_back(&chain.back()->children[0]);
    Value left = value(chain.back()->children[0]);
    for (; !chain.empty(); chain.pop_back()) left = applied(*chain.back(), std::move(left));
    return left;
  }

  Value applied(const Expression& e, Value left) const {
    budget_.spend(Resource::steps, 1);
    if (e.name == "and" || e.name == "or") {
      const bool decided = flag_of(e.children[0], left) == (e.name == "or");
      return decided ? left : Value{flag_of(e.children[1], value(e.children[1]))};
    }
    const Value right = value(e.children[1]);
    budget_.spend(Resource::steps, element_total(left) + element_total(right));
    const char first = e.name.front();
    if (first == '<' || first == '>' || first == '=' || first == '!') return comparison(e, left, right);
    if (left.list() != nullptr && right.list() != nullptr) makes(left.list()->size() + right.list()->size());
    return arithmetic(e, left, right);
  }

  Value index(const Expression& e) const {
    const Value base = value(e.children[0]);
    const ValueList& items = list_of(e, base);
    const std::int64_t at = integer_of(e.children[1], value(e.children[1]));
    const auto count = static_cast<std::int64_t>(items.size());
    if (at < -count || at >= count) {
      fail(e.children[1], fmt::format("index {} is outside a list of {}", at, count));
    }
    return items[static_cast<std::size_t>(at < 0 ? at + count : at)];
  }

  Value slice(const Expression& e) const {
    const Value base = value(e.children[0]);
    const ValueList& items = list_of(e, base);
    const auto count = static_cast<std::int64_t>(items.size());
    const auto bound = [this, count](const Expression& piece, std::int64_t fallback) {
      const Value given = value(piece);
      if (given.is_null()) return fallback;
      const std::int64_t at = integer_of(piece, given);
      return std::clamp<std::int64_t>(at < 0 ? std::max<std::int64_t>(at, -count) + count : at, 0, count);
    };
    const std::int64_t start = bound(e.children[1], 0);
    const std::int64_t stop = std::max(start, bound(e.children[2], count));
    makes(static_cast<std::size_t>(stop - start));
    return {ValueList(items.begin() + start, items.begin() + stop)};
  }

  Value call(const Expression& e) const {
    if (scope_.call) {
      if (std::optional<Value> found = scope_.call(e)) return *found;
    }
    const std::vector<std::string>& known = function_names();
    if (std::find(known.begin(), known.end(), e.name) == known.end()) {
      fail(e, fmt::format("there is no function '{}' for values", e.name), suggestion(e.name, known));
    }
    if (!e.keywords.empty()) fail(e, fmt::format("{} takes no named arguments", e.name));
    ValueList arguments;
    for (const Expression& child : e.children) arguments.push_back(value(child));
    for (const Value& argument : arguments) budget_.spend(Resource::steps, element_total(argument));
    if (e.name == "min" || e.name == "max") return extreme(e, arguments);
    if (e.name == "range") return range(e, arguments);
    if (arguments.size() != 1)
      fail(e, fmt::format("{} takes one argument, not {}", e.name, arguments.size()));
    return function(e, arguments.front());
  }

  Value function(const Expression& e, const Value& x) const {
    const std::string& name = e.name;
    if (name == "len") return {static_cast<std::int64_t>(list_of(e, x).size())};
    if (name == "reverse") {
      makes(list_of(e, x).size());
      ValueList items = list_of(e, x);
      std::reverse(items.begin(), items.end());
      return {std::move(items)};
    }
    if (name == "pair") return pair(e, x);
    if (name == "sum") {
      Value total{std::int64_t{0}};
      Expression plus;
      plus.kind = Kind::binary;
      plus.name = "+";
      plus.offset = e.offset;
      for (const Value& item : list_of(e, x)) {
        number_of(e, item);
        total = arithmetic(plus, total, item);
      }
      return total;
    }
    const double number = number_of(e, x);
    if (name == "sqrt") return finite(e, std::sqrt(number));
    if (name == "exp") return finite(e, std::exp(number));
    if (name == "log") return finite(e, std::log(number));
    if (name == "float") return {number};
    if (name == "abs") {
      return x.integer() != nullptr && number < 0 ? integer_arithmetic(e, '-', 0, *x.integer())
             : x.integer() != nullptr             ? x
                                                  : Value{std::abs(number)};
    }
    return rounded(e, x, number);
  }

  /// Height and width: a list of two integers, or one for both.
  static Value pair(const Expression& e, const Value& x) {
    if (x.integer() != nullptr) return {ValueList{x, x}};
    const ValueList* const list = x.list();
    const bool is_pair = list != nullptr && list->size() == 2 && (*list)[0].integer() != nullptr &&
                         (*list)[1].integer() != nullptr;
    if (is_pair) return x;
    const Expression& from = e.children.front();
    const std::string what = from.kind == Kind::name ? fmt::format("'{}'", from.name) : "what pair takes";
    fail(from, fmt::format("{} is an integer, or a list of two, not {}", what, described(x)));
  }

  static Value rounded(const Expression& e, const Value& x, double number) {
    if (x.integer() != nullptr) return x;
    const double whole = e.name == "floor"  ? std::floor(number)
                         : e.name == "ceil" ? std::ceil(number)
                         : e.name == "int"  ? std::trunc(number)
                                            : std::nearbyint(number);
    constexpr double limit = 9.2e18;
    if (std::abs(whole) > limit) fail(e, "the number is too large for an integer");
    return {static_cast<std::int64_t>(whole)};
  }

  static Value extreme(const Expression& e, const ValueList& arguments) {
    const ValueList& items = arguments.size() == 1 ? list_of(e, arguments.front()) : arguments;
    if (items.empty()) fail(e, fmt::format("{} of nothing", e.name));
    const Value* best = &items.front();
    for (const Value& item : items) {
      const double difference = number_of(e, item) - number_of(e, *best);
      if (e.name == "min" ? difference < 0 : difference > 0) best = &item;
    }
    return *best;
  }

  Value range(const Expression& e, const ValueList& arguments) const {
    if (arguments.empty() || arguments.size() > 2) fail(e, "range takes a count, or a start and a stop");
    const std::int64_t start = arguments.size() == 2 ? integer_of(e, arguments[0]) : 0;
    const std::int64_t stop = integer_of(e, arguments.back());
    const std::uint64_t count =
        stop <= start ? 0 : static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start);
    if (count >= largest_value) fail(e, fmt::format("the list has more than {} elements", largest_value));
    makes(count);
    ValueList items;
    items.reserve(count);
    for (std::int64_t i = start; i < stop; ++i) items.push_back({i});
    return {std::move(items)};
  }

  const ValueScope& scope_;
  Budget& budget_;
};

}  // namespace

Value evaluate(const Expression& expression, const ValueScope& scope, Budget& budget) {
  return Evaluator(scope, budget).value(expression);
}

}  // namespace graphrun
