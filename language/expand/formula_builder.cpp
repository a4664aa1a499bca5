#include "language/expand/formula_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace graphrun {
namespace {

using Kind = Expression::Kind;

constexpr std::size_t frames = 1280;  // of the stack, for a node in a node

std::string_view op_of(const std::string& symbol) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> ops = {{{"+", "add"},
                                                                                  {"-", "sub"},
                                                                                  {"*", "mul"},
                                                                                  {"/", "div"},
                                                                                  {"**", "pow"},
                                                                                  {"@", "matmul"},
                                                                                  {"<", "less"},
                                                                                  {"<=", "less_equal"},
                                                                                  {">", "greater"},
                                                                                  {">=", "greater_equal"},
                                                                                  {"==", "equal"},
                                                                                  {"!=", "not_equal"}}};
  for (const auto& [written, op] : ops) {
    if (written == symbol) return op;
  }
  return {};
}

}  // namespace

Place FormulaBuilder::at(std::size_t offset) {
  const Sources& sources = expander_.diagnostics_.sources();
  if (offsets_.empty()) offsets_ = offsets_in(text_, sources);
  return sources.place_at(text_.place.source, offsets_[std::min(offset, offsets_.size() - 1)]);
}

std::optional<NodeId> FormulaBuilder::whole(const Expression& expression) {
  return node(expression, true);
}

std::optional<NodeId> FormulaBuilder::node(const Expression& e, bool outermost) {
  const Budget::Level level(expander_.budget_, frames);
  switch (e.kind) {
    case Kind::constant:
      return number(e, e.value);
    case Kind::name:
    case Kind::reference:
      return expander_.node_of(scope_, e, text_);
    case Kind::host: {
      const std::optional<Value> value = expander_.evaluated(scope_, e, text_);
      return value ? number(e, *value) : std::nullopt;
    }
    case Kind::unary:
    case Kind::binary:
      return operation(e, outermost);
    case Kind::call:
      return call(e, outermost);
    case Kind::list:
      expander_.report(scope_, at(e), "a list stands only after the name of an argument: axis=[0, 1]");
      return std::nullopt;
    case Kind::conditional:
      expander_.report(scope_, at(e), "`if` chooses between values, not nodes",
                       "Put it into $( ), or choose by where(condition, a, b).");
      return std::nullopt;
    case Kind::index:
    case Kind::slice:
      expander_.report(scope_, at(e), "brackets index lists of values, not nodes",
                       "slice(x, …) takes a part of a node.");
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<NodeId> FormulaBuilder::number(const Expression& e, const Value& value) {
  expander_.budget_.spend(Resource::nodes, 1);
  if (const Schedule* schedule = value.schedule())
    return expander_.scheduled_input(*schedule, path_ + "/schedule");
  if (value.list() != nullptr && !value.list()->empty()) {
    std::vector<double> numbers;
    for (const Value& item : *value.list()) {
      if (item.number()) numbers.push_back(*item.number());
    }
    expander_.budget_.spend(Resource::elements, numbers.size());
    if (numbers.size() == value.list()->size()) {
      const Shape shape = {Dim::number(static_cast<std::int64_t>(numbers.size()))};
      return constant(e, std::move(numbers), shape);
    }
  }
  if (const std::optional<double> plain = value.number()) return constant(e, {*plain});
  expander_.report(scope_, at(e), fmt::format("a number is expected in a formula, not {}", described(value)));
  return std::nullopt;
}

/// One that its type cannot hold is reported where it stands.
std::optional<NodeId> FormulaBuilder::constant(const Expression& e, std::vector<double> numbers,
                                               Shape shape) {
  try {
    return expander_.builder_.add("constant", {},
                                  {{"values", std::move(numbers)}, {"shape", std::move(shape)}});
  } catch (const OpError& error) {
    expander_.report(scope_, at(e), error.message(), error.fix());
    return std::nullopt;
  }
}

CallSite FormulaBuilder::site(const Expression& e, const std::string& op, bool outermost) {
  CallSite result;
  result.op = op;
  result.place = at(e);
  result.inputs_place = result.place;
  result.in_formula = true;
  if (outermost) {
    result.path = path_;
    result.display = display_;
  } else {
    // A call inside a formula has no name of its own; its op and number make one.
    result.path = fmt::format("{}/{}", path_, op);
    for (int use = 2; !used_.insert(result.path).second; ++use)
      result.path = fmt::format("{}/{}_{}", path_, op, use);
  }
  result.params = result.path;
  return result;
}

std::optional<NodeId> FormulaBuilder::operation(const Expression& e, bool outermost) {
  const bool unary = e.kind == Kind::unary;
  const std::string op(unary && e.name == "-" ? "neg" : op_of(e.name));
  if (op.empty()) {
    expander_.report(scope_, at(e), fmt::format("'{}' works on values, not on nodes", e.name),
                     e.name == "and"   ? "For nodes, multiply: (a > 0) * (a < 1)."
                     : e.name == "or"  ? "For nodes, take the larger: maximum(a > 1, a < 0)."
                     : e.name == "not" ? "For nodes, write 1 - a."
                     : e.name == "//"  ? "For nodes, write `/`."
                                       : "");
    return std::nullopt;
  }
  const Expression& operand = e.children.front();
  const bool negative = unary && operand.kind == Kind::constant && operand.value.number();
  if (negative) return constant(operand, {-*operand.value.number()});
  CallSite call = site(e, op, outermost);
  bool known = true;
  for (const Expression& child : e.children) {
    const std::optional<NodeId> input = node(child, false);
    known = known && input;
    if (input) call.inputs.push_back(*input);
    call.input_places.push_back(at(child));
  }
  if (!known) return std::nullopt;
  return expander_.call(scope_, std::move(call)).node;
}

std::optional<NodeId> FormulaBuilder::call(const Expression& e, bool outermost) {
  CallSite call = site(e, e.name, outermost);
  bool known = true;
  for (const Expression& child : e.children) {
    const std::optional<NodeId> input = node(child, false);
    known = known && input;
    if (input) call.inputs.push_back(*input);
    call.input_places.push_back(at(child));
  }
  for (const Expression::Keyword& keyword : e.keywords) {
    GivenAttribute given;
    given.name = keyword.name;
    given.place = at(keyword.offset);
    given.value_place = at(keyword.value);
    given.yaml = &text_;
    given.expression = &keyword.value;
    call.attributes.push_back(std::move(given));
  }
  if (!known) return std::nullopt;
  return expander_.call(scope_, std::move(call)).node;
}

}  // namespace graphrun
