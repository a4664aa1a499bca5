#include "language/values/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <utility>

namespace graphrun {
namespace {

constexpr int deepest_tree = 100;              // walked once more when it is destroyed
constexpr std::size_t frames = 3 * 1024;       // of the stack, for a parenthesis in a parenthesis
constexpr std::size_t characters_a_step = 16;  // a text is read about so much faster than values are computed

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
  return starts_name(c) || is_digit(c);
}

/// How tightly operators bind, loosest first.
enum class Precedence { disjunction, conjunction, negation, comparison, sum, product, sign, power };

struct Operator {
  std::string symbol;
  std::size_t offset = 0;
  Precedence precedence = Precedence::sum;
  bool prefix = false;
};

/// Recursive descent; operators of all levels by one loop, so that a parenthesis costs few frames.
class Parser {
 public:
  Parser(std::string_view text, Grammar grammar, Budget& budget)
      : text_(text), grammar_(grammar), budget_(budget) {}

  Expression whole() {
    Expression result = conditional();
    skip_spaces();
    if (at_ < text_.size()) unexpected();
    return result;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  [[noreturn]] void unexpected() const {
    if (at_ >= text_.size()) throw ExpressionError(at_, "the formula ends too early");
    const char c = peek();
    if (c == '=')
      throw ExpressionError(at_, "unexpected '='", "Compare with `==`; name an argument with `name=value`.");
    if (c == '^') throw ExpressionError(at_, "unexpected '^'", "The power is `**`.");
    if (c == '&' || c == '|')
      throw ExpressionError(at_, fmt::format("unexpected '{}'", c), "Write `and`, `or`, `not`.");
    if (c == ',') throw ExpressionError(at_, "unexpected ','");
    if (c == ')' || c == ']') throw ExpressionError(at_, fmt::format("'{}' closes nothing", c));
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;  // UTF-8
    throw ExpressionError(at_, fmt::format("unexpected '{}'", text_.substr(at_, end - at_)),
                          in_name(c) ? "An operator is missing." : "");
  }
  /// Takes the first of these operators that stands here; words only when they end here.
  std::string take(std::initializer_list<std::string_view> operators) {
    skip_spaces();
    for (const std::string_view wanted : operators) {
      if (!text_.substr(at_).starts_with(wanted)) continue;
      if (starts_name(wanted.front()) && in_name(peek(wanted.size()))) continue;
      const bool longer = (wanted == "*" && peek(1) == '*') || (wanted == "/" && peek(1) == '/');
      if (longer) continue;
      at_ += wanted.size();
      return std::string(wanted);
    }
    return {};
  }
  void expect(std::string_view closing, std::size_t opened) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(closing)) {
      if (at_ >= text_.size())
        throw ExpressionError(opened, fmt::format("the '{}' is never closed", text_[opened]));
      unexpected();
    }
    at_ += closing.size();
  }

  Expression finished(Expression expression) const {
    for (const Expression& child : expression.children) {
      expression.depth = std::max(expression.depth, child.depth + 1);
    }
    for (const Expression::Keyword& keyword : expression.keywords) {
      expression.depth = std::max(expression.depth, keyword.value.depth + 1);
    }
    if (expression.depth > deepest_tree) {
      throw ExpressionError(expression.offset, "the formula is nested too deeply",
                            "Give a part of it a name of its own.");
    }
    return expression;
  }
  Expression make(Expression::Kind kind, std::size_t offset, std::string name,
                  std::vector<Expression> children) const {
    Expression expression;
    expression.kind = kind;
    expression.offset = offset;
    expression.name = std::move(name);
    expression.children = std::move(children);
    return finished(std::move(expression));
  }
  static Expression constant(std::size_t offset, Value value) {
    Expression expression;
    expression.offset = offset;
    expression.value = std::move(value);
    return expression;
  }

  Expression conditional();
  Expression operators();
  void take_prefixes(std::vector<Operator>& waiting);
  std::optional<Operator> binary_operator();
  void apply(std::vector<Operator>& waiting, std::vector<Expression>& operands,
             const std::optional<Operator>& next) const;
  Expression postfix();
  Expression atom();
  Expression number();
  Expression quoted();
  Expression list();
  Expression host();
  Expression named();
  Expression reference(Expression first);
  Expression call(std::string name, std::size_t offset);
  Expression subscript(Expression base);
  std::string name_text();

  std::string_view text_;
  Grammar grammar_;
  Budget& budget_;
  std::size_t at_ = 0;
};

Expression Parser::conditional() {
  if (!budget_.has_room(frames)) {
    throw ExpressionError(at_, "the formula is nested too deeply", "Give a part of it a name of its own.");
  }
  const Budget::Level level(budget_, frames);
  Expression value = operators();
  const std::size_t offset = at_;
  if (take({"if"}).empty()) return value;
  std::vector<Expression> children;
  children.push_back(std::move(value));
  children.push_back(operators());
  if (take({"else"}).empty())
    throw ExpressionError(at_, "an `else` is missing", "Write `a if condition else b`.");
  children.push_back(conditional());
  return make(Expression::Kind::conditional, offset, "if", std::move(children));
}

/// Operands and operators as they come; each operator waits until one follows that binds less tightly.
Expression Parser::operators() {
  std::vector<Expression> operands;
  std::vector<Operator> waiting;
  while (true) {
    take_prefixes(waiting);
    operands.push_back(postfix());
    std::optional<Operator> next = binary_operator();
    apply(waiting, operands, next);
    if (!next) return std::move(operands.front());
    waiting.push_back(std::move(*next));
  }
}

/// `not` stands only where a comparison may begin; a plus changes nothing.
void Parser::take_prefixes(std::vector<Operator>& waiting) {
  while (true) {
    const bool may_negate = waiting.empty() || waiting.back().precedence <= Precedence::negation;
    std::string symbol = take({"-", "+"});
    if (symbol.empty() && may_negate) symbol = take({"not"});
    if (symbol.empty()) return;
    const Precedence precedence = symbol == "not" ? Precedence::negation : Precedence::sign;
    if (symbol != "+") waiting.push_back({symbol, at_ - symbol.size(), precedence, true});
  }
}

std::optional<Operator> Parser::binary_operator() {
  static constexpr std::array<std::pair<std::string_view, Precedence>, 16> all = {
      {{"or", Precedence::disjunction},
       {"and", Precedence::conjunction},
       {"==", Precedence::comparison},
       {"!=", Precedence::comparison},
       {"<=", Precedence::comparison},
       {">=", Precedence::comparison},
       {"<", Precedence::comparison},
       {">", Precedence::comparison},
       {"+", Precedence::sum},
       {"-", Precedence::sum},
       {"**", Precedence::power},
       {"*", Precedence::product},
       {"//", Precedence::product},
       {"/", Precedence::product},
       {"%", Precedence::product},
       {"@", Precedence::product}}};
  for (const auto& [symbol, precedence] : all) {
    if (!take({symbol}).empty()) return Operator{std::string(symbol), at_ - symbol.size(), precedence, false};
  }
  return std::nullopt;
}

/// Applies the operators that bind more tightly than the next, or as tightly and stand before it.
void Parser::apply(std::vector<Operator>& waiting, std::vector<Expression>& operands,
                   const std::optional<Operator>& next) const {
  for (; !waiting.empty(); waiting.pop_back()) {
    Operator& last = waiting.back();
    if (next) {
      const bool to_the_right = next->precedence == Precedence::power;
      if (last.precedence < next->precedence || (to_the_right && last.precedence == next->precedence)) return;
      if (last.precedence == Precedence::comparison && next->precedence == Precedence::comparison)
        throw ExpressionError(at_ - 1, "comparisons cannot be chained", "Write `a < b and b < c`.");
    }
    std::vector<Expression> children;
    if (!last.prefix) children.push_back(std::move(operands[operands.size() - 2]));
    children.push_back(std::move(operands.back()));
    operands.resize(operands.size() - children.size());
    operands.push_back(make(last.prefix ? Expression::Kind::unary : Expression::Kind::binary, last.offset,
                            std::move(last.symbol), std::move(children)));
  }
}

Expression Parser::postfix() {
  Expression value = atom();
  skip_spaces();
  while (peek() == '[') {
    value = subscript(std::move(value));
    skip_spaces();
  }
  return value;
}

Expression Parser::atom() {
  skip_spaces();
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  if (starts_name(c)) return named();
  if (c == '\'' || c == '"') return quoted();
  if (c == '[') return list();
  if (c == '$') return host();
  if (c != '(') unexpected();
  const std::size_t opened = at_++;
  Expression inner = conditional();
  expect(")", opened);
  return inner;
}

Expression Parser::number() {
  const std::size_t start = at_;
  while (in_name(peek()) || peek() == '.' ||
         ((peek() == '+' || peek() == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
          is_digit(text_[start]) && text_.substr(start, 2) != "0x")) {
    ++at_;
  }
  const std::string_view written = text_.substr(start, at_ - start);
  const NumberReading reading = read_number(written);
  if (!reading.mistake.empty()) throw ExpressionError(start, reading.mistake, reading.fix);
  if (!reading.value)
    throw ExpressionError(start, fmt::format("'{}' is no number", written), "An operator may be missing.");
  return constant(start, *reading.value);
}

Expression Parser::quoted() {
  const std::size_t start = at_;
  const std::size_t end = text_.find(text_[start], start + 1);
  if (end == std::string_view::npos) throw ExpressionError(start, "this quote is never closed");
  at_ = end + 1;
  return constant(start, Value{std::string(text_.substr(start + 1, end - start - 1))});
}

Expression Parser::list() {
  const std::size_t opened = at_++;
  std::vector<Expression> items;
  skip_spaces();
  while (peek() != ']') {
    items.push_back(conditional());
    skip_spaces();
    if (peek() != ',') break;
    ++at_;
    skip_spaces();
  }
  expect("]", opened);
  return make(Expression::Kind::list, opened, "", std::move(items));
}

Expression Parser::host() {
  const std::size_t start = at_++;
  if (grammar_ == Grammar::expression) {
    throw ExpressionError(start, "inside $( ) names stand without '$'", "Leave the '$' out.");
  }
  std::vector<Expression> children;
  if (peek() == '(') {
    const std::size_t opened = at_++;
    grammar_ = Grammar::expression;
    children.push_back(conditional());
    expect(")", opened);
    grammar_ = Grammar::formula;
  } else if (starts_name(peek())) {
    const std::size_t offset = at_;
    children.push_back(make(Expression::Kind::name, offset, name_text(), {}));
  } else {
    throw ExpressionError(start, "a name or '(' must follow '$'", "Write $name or $(expression).");
  }
  return make(Expression::Kind::host, start, "$", std::move(children));
}

std::string Parser::name_text() {
  const std::size_t start = at_;
  while (in_name(peek())) ++at_;
  return std::string(text_.substr(start, at_ - start));
}

Expression Parser::named() {
  const std::size_t start = at_;
  std::string name = name_text();
  if (name == "true" || name == "false") return constant(start, Value{name == "true"});
  if (name == "null") return constant(start, {});
  for (const std::string_view word : {"and", "or", "not", "if", "else"}) {
    if (name == word)
      throw ExpressionError(start, fmt::format("'{}' stands where a value is expected", word));
  }
  if (peek() == '.') return reference(make(Expression::Kind::name, start, std::move(name), {}));
  skip_spaces();
  if (peek() == '(') return call(std::move(name), start);
  return make(Expression::Kind::name, start, std::move(name), {});
}

Expression Parser::reference(Expression first) {
  const std::size_t start = first.offset;
  std::vector<Expression> parts;
  std::string text = first.name;
  parts.push_back(std::move(first));
  while (peek() == '.') {
    ++at_;
    if (peek() == '$') {
      parts.push_back(host());
      continue;
    }
    if (!in_name(peek()))
      throw ExpressionError(at_, "a name or number must follow the '.'", "Write e.g. enc.0 or code.w.");
    const std::size_t offset = at_;
    parts.push_back(constant(offset, Value{name_text()}));
  }
  if (peek() == '(') throw ExpressionError(start, "only ops and blocks can be called, by their own name");
  return make(Expression::Kind::reference, start, "", std::move(parts));
}

Expression Parser::call(std::string name, std::size_t offset) {
  const std::size_t opened = at_++;
  Expression result;
  result.kind = Expression::Kind::call;
  result.offset = offset;
  result.name = std::move(name);
  skip_spaces();
  while (peek() != ')') {
    std::size_t ahead = 0;
    while (in_name(peek(ahead))) ++ahead;
    std::size_t after = ahead;
    while (peek(after) == ' ') ++after;
    const bool keyword = starts_name(peek()) && peek(after) == '=' && peek(after + 1) != '=';
    if (keyword) {
      const std::size_t start = at_;
      std::string key = name_text();
      for (const Expression::Keyword& other : result.keywords) {
        if (other.name == key) throw ExpressionError(start, fmt::format("'{}' is given twice", key));
      }
      at_ = start + after + 1;
      result.keywords.push_back({std::move(key), start, conditional()});
    } else {
      const std::size_t start = at_;
      result.children.push_back(conditional());
      if (!result.keywords.empty()) {
        throw ExpressionError(start, "an argument without a name after one with a name", "Put it in front.");
      }
    }
    skip_spaces();
    if (peek() != ',') break;
    ++at_;
    skip_spaces();
  }
  expect(")", opened);
  return finished(std::move(result));
}

Expression Parser::subscript(Expression base) {
  const std::size_t opened = at_++;
  std::vector<Expression> children;
  children.push_back(std::move(base));
  skip_spaces();
  children.push_back(peek() == ':' ? constant(at_, {}) : conditional());
  skip_spaces();
  if (peek() != ':') {
    expect("]", opened);
    return make(Expression::Kind::index, opened, "[]", std::move(children));
  }
  ++at_;
  skip_spaces();
  children.push_back(peek() == ']' ? constant(at_, {}) : conditional());
  expect("]", opened);
  return make(Expression::Kind::slice, opened, "[:]", std::move(children));
}

}  // namespace

Expression parse_expression(std::string_view text, Grammar grammar, Budget& budget) {
  budget.spend(Resource::steps, 1 + text.size() / characters_a_step);
  return Parser(text, grammar, budget).whole();
}

bool is_value_reference(std::string_view text) {
  if (text.size() < 2 || text.front() != '$') return false;
  if (text[1] != '(') return starts_name(text[1]) && std::all_of(text.begin() + 1, text.end(), in_name);
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == '\'' || c == '"') quote = c;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return i + 1 == text.size();
  }
  return true;  // never closed: the parser will say so
}

}  // namespace graphrun
