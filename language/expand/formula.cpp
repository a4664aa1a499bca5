#include "language/expand/formula.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "graph/op.hpp"
#include "language/expand/expand_blocks.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/references.hpp"
#include "language/expand/scope_values.hpp"

namespace graphrun {
namespace {

using Kind = Expression::Kind;

constexpr std::size_t frames = 1280;  // of the stack, for a node in a node

std::string_view op_of(const std::string& symbol) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 16> ops = {{{"+", "add"},
                                                                                  {"-", "sub"},
                                                                                  {"*", "mul"},
                                                                                  {"/", "div"},
                                                                                  {"%", "mod"},
                                                                                  {"and", "logical_and"},
                                                                                  {"or", "logical_or"},
                                                                                  {"not", "logical_not"},
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

class FormulaBuilder {
 public:
  FormulaBuilder(Scope& scope, const YamlNode& text, const std::string& path, const std::string& display)
      : scope_(scope), text_(text), path_(path), display_(display) {}

  std::optional<NodeId> node(const Expression& e, bool outermost);

 private:
  std::optional<NodeId> operation(const Expression& e, bool outermost);
  std::optional<NodeId> called(CallSite site, const Expression& e);
  void give_numbers_a_type(const Expression& e, const std::string& op, std::vector<NodeId>& inputs);
  std::optional<NodeId> number(const Expression& e, const Value& value);
  std::optional<NodeId> constant(const Expression& e, std::vector<double> numbers, Shape shape = {});
  CallSite site(const Expression& e, const std::string& op, bool outermost);
  std::optional<NodeId> refuse(const Expression& e, std::string message, std::string fix = {});
  Place at(std::size_t offset);
  Place at(const Expression& e) { return at(e.offset); }

  Scope& scope_;
  const YamlNode& text_;
  const std::string& path_;
  const std::string& display_;
  std::set<std::string> used_;
  std::vector<std::size_t> offsets_;  ///< offsets_in(text_), once a place is asked for
};

Place FormulaBuilder::at(std::size_t offset) {
  const Sources& sources = scope_.model.diagnostics.sources();
  if (offsets_.empty()) offsets_ = offsets_in(text_, sources);
  return sources.place_at(text_.place.source, offsets_[std::min(offset, offsets_.size() - 1)]);
}

std::optional<NodeId> FormulaBuilder::refuse(const Expression& e, std::string message, std::string fix) {
  report(scope_, at(e), std::move(message), std::move(fix));
  return std::nullopt;
}

std::optional<NodeId> FormulaBuilder::node(const Expression& e, bool outermost) {
  const Budget::Level level(scope_.model.budget(), frames);
  switch (e.kind) {
    case Kind::constant:
      return number(e, e.value);
    case Kind::name:
    case Kind::reference:
      return node_of(scope_, e, text_);
    case Kind::host: {
      const std::optional<Value> value = evaluated(scope_, e, text_);
      return value ? number(e, *value) : std::nullopt;
    }
    case Kind::unary:
    case Kind::binary:
      return operation(e, outermost);
    case Kind::call:
      return called(site(e, e.name, outermost), e);
    case Kind::list:
      return refuse(e, "a list stands only after the name of an argument: axis=[0, 1]");
    case Kind::conditional:
      return refuse(e, "`if` chooses between values, not nodes",
                    "Put it into $( ), or choose by where(condition, a, b).");
    case Kind::index:
    case Kind::slice:
      return refuse(e, "brackets index lists of values, not nodes", "slice(x, …) takes a part of a node.");
  }
  return std::nullopt;
}

std::optional<NodeId> FormulaBuilder::number(const Expression& e, const Value& value) {
  scope_.model.budget().spend(Resource::nodes, 1);
  if (const Schedule* schedule = value.schedule())
    return scheduled_input(scope_.model, *schedule, path_ + "/schedule");
  if (value.list() != nullptr && !value.list()->empty()) {
    std::vector<double> numbers;
    for (const Value& item : *value.list())
      if (item.number()) numbers.push_back(*item.number());
    scope_.model.budget().spend(Resource::elements, numbers.size());
    if (numbers.size() == value.list()->size()) {
      const Shape shape = {Dim::number(static_cast<std::int64_t>(numbers.size()))};
      return constant(e, std::move(numbers), shape);
    }
  }
  if (const std::optional<double> plain = value.number()) return constant(e, {*plain});
  return refuse(e, fmt::format("a number is expected in a formula, not {}", described(value)));
}

/// One that its type cannot hold is reported where it stands.
std::optional<NodeId> FormulaBuilder::constant(const Expression& e, std::vector<double> numbers,
                                               Shape shape) {
  try {
    return scope_.model.builder.add("constant", {},
                                    {{"values", std::move(numbers)}, {"shape", std::move(shape)}});
  } catch (const OpError& error) {
    return refuse(e, error.message(), error.fix());
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
    return refuse(e, fmt::format("'{}' works on values, not on nodes", e.name),
                  e.name == "//" ? "For nodes, write `/`." : "");
  }
  const Expression& operand = e.children.front();
  const bool negative = unary && operand.kind == Kind::constant && operand.value.number();
  if (negative) return constant(operand, {-*operand.value.number()});
  return called(site(e, op, outermost), e);
}

/// Numbers beside an i32 are i32 too, if they are whole: `labels + 1`. What a function chooses by stands
/// first and has a type of its own, so the last operand that is no number decides.
void FormulaBuilder::give_numbers_a_type(const Expression& e, const std::string& op,
                                         std::vector<NodeId>& inputs) {
  Builder& builder = scope_.model.builder;
  const OpDef* const definition = builder.registry().find(op);
  if (definition == nullptr || !definition->traits.elementwise) return;
  const auto is_number = [&](std::size_t i) {
    const Kind kind = e.children[i].kind;
    return kind != Kind::name && kind != Kind::reference && builder.node(inputs[i]).op->traits.constant;
  };
  bool is_whole = false;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!is_number(i)) is_whole = builder.type(inputs[i]).dtype == DType::i32;
  for (std::size_t i = 0; is_whole && i < inputs.size(); ++i) {
    if (!is_number(i)) continue;
    Attributes attributes = builder.node(inputs[i]).attributes;
    if (!std::ranges::all_of(attributes.numbers("values"), [](double x) { return holds(DType::i32, x); }))
      continue;
    attributes.set("dtype", std::string("i32"));
    inputs[i] = builder.add("constant", {}, std::move(attributes));
  }
}

std::optional<NodeId> FormulaBuilder::called(CallSite site, const Expression& e) {
  for (const Expression& child : e.children) {
    const std::optional<NodeId> input = node(child, false);
    if (input) site.inputs.push_back(*input);
    site.input_places.push_back(at(child));
  }
  if (site.inputs.size() < e.children.size()) return std::nullopt;
  give_numbers_a_type(e, site.op, site.inputs);
  for (const Expression::Keyword& keyword : e.keywords)
    site.attributes.push_back({keyword.name, at(keyword.offset), at(keyword.value), &text_, &keyword.value});
  return call(scope_, std::move(site)).node;
}

}  // namespace

std::optional<NodeId> formula(Scope& scope, const YamlNode& text, const std::string& path,
                              const std::string& display) {
  return of_formula(scope, text, [&](const Expression& whole) {
    return FormulaBuilder(scope, text, path, display).node(whole, true);
  });
}

}  // namespace graphrun
