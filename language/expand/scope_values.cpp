#include "language/expand/scope_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "graph/range_fault.hpp"
#include "language/expand/key.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/references.hpp"

namespace graphrun {
namespace {

/// The stack that a level of values takes, and what comes between it and the next.
constexpr std::size_t value_frames = 2 * 1024;
constexpr std::size_t list_frames = 768;

std::vector<std::string> value_names(const Scope& scope) {
  std::vector<std::string> names;
  if (scope.item) names.emplace_back("item");
  if (scope.index) names.emplace_back("index");
  if (scope.block == nullptr) {
    for (const YamlEntry& entry : scope.model.declared.vars) names.push_back(entry.key);
  } else {
    for (const BlockDeclaration::Argument& argument : scope.block->arguments) names.push_back(argument.name);
  }
  return names;
}

/// What a name stands for that no call has given: a var of the file, the default of an argument.
struct Fallback {
  const YamlNode* value;  ///< null: there is none
  Place place;            ///< of the name
};
Fallback fallback_of(const Scope& scope, const std::string& name) {
  if (scope.block == nullptr) {
    const auto var = scope.model.vars.find(name);
    if (var == scope.model.vars.end()) return {nullptr, {}};
    return {&var->second->value, var->second->place};
  }
  const BlockDeclaration::Argument* argument = scope.block->find_argument(name);
  if (argument == nullptr || argument->required) return {nullptr, {}};
  return {&argument->fallback, argument->place};
}

[[noreturn]] void throw_reported() {
  throw ExpressionError(0, "");
}

/// Nothing when there is no such value.
std::optional<Value> named_value(Scope& scope, const std::string& name) {
  if (name == "item" && scope.item) return scope.item;
  if (name == "index" && scope.index) return scope.index;
  const auto known = scope.arguments.find(name);
  if (known != scope.arguments.end()) return known->second.value;
  const Fallback fallback = fallback_of(scope, name);
  if (fallback.value == nullptr) return std::nullopt;
  const auto [begun, is_new] = scope.evaluating.emplace(name, false);
  if (!is_new) {
    if (!std::exchange(begun->second, true))
      report(scope, fallback.place, fmt::format("the value '{}' refers to itself", name), "Give it a value.");
    throw_reported();
  }
  if (!scope.model.budget().has_room(value_frames)) {
    report(scope, fallback.value->place, "values refer to each other too deeply");
    begun->second = true;
    throw_reported();
  }
  std::optional<Value> computed = value_of(scope, *fallback.value);
  if (!computed) {
    begun->second = true;
    throw_reported();
  }
  scope.arguments[name] = {*computed, fallback.value->place};
  return computed;
}

/// dim(x, -1), the size of an axis of a node, and rank(x), the number of its axes.
std::optional<Value> size_function(Scope& scope, const Expression& call, const YamlNode& text) {
  if (call.name != "dim" && call.name != "rank") return std::nullopt;
  const std::size_t expected = call.name == "dim" ? 2 : 1;
  if (call.children.size() != expected || !call.keywords.empty()) {
    throw ExpressionError(call.offset, call.name == "dim" ? "dim takes a node and an axis: dim(x, -1)"
                                                          : "rank takes a node: rank(x)");
  }
  const std::optional<NodeId> node = node_of(scope, call.children[0], text);
  if (!node) throw_reported();
  const Shape& shape = scope.model.builder.type(*node).shape;
  if (call.name == "rank") return Value{static_cast<std::int64_t>(shape.size())};
  const std::optional<Value> axis = evaluated(scope, call.children[1], text);
  if (!axis) throw_reported();
  const std::int64_t* written = axis->integer();
  const std::optional<std::size_t> at =
      written == nullptr ? std::nullopt : normalised_axis(*written, shape.size());
  if (!at) {
    throw ExpressionError(call.children[1].offset, fmt::format("there is no axis {} in the shape {}",
                                                               to_string(*axis), to_string(shape)));
  }
  if (!shape[*at].is_number()) {
    throw ExpressionError(call.offset, fmt::format("axis {} of {} is the batch, whose size is not known here",
                                                   to_string(*axis), to_string(shape)));
  }
  return Value{shape[*at].offset};
}

ValueScope names_in(Scope& scope, const YamlNode& text) {
  return {.value = [&scope](const std::string& name) { return named_value(scope, name); },
          .call = [&scope, &text](const Expression& call) { return size_function(scope, call, text); },
          .names = [&scope] { return value_names(scope); },
          .hint = [&scope](const std::string& name) -> std::string {
            if (name == "item" || name == "index")
              return fmt::format("${} is known in a node with `repeat:`.", name);
            const bool outside = scope.block != nullptr && scope.model.vars.contains(name);
            return outside
                       ? fmt::format("A block sees only its arguments: add '{}' to its `args:` and pass it.",
                                     name)
                       : "";
          }};
}

std::optional<Value> scalar_value(Scope& scope, const YamlNode& node) {
  if (is_value_reference(node.text))
    return of_formula(scope, node, [&](const Expression& e) { return evaluated(scope, e, node); });
  if (!node.quoted && node.text.find('$') != std::string::npos) {
    std::string inner = node.text;
    std::erase(inner, '$');
    report(scope, node.place, fmt::format("'{}' mixes a value with text", node.text),
           fmt::format("Compute it in $( ): $({}).", inner));
    return std::nullopt;
  }
  const std::size_t before = scope.model.diagnostics.count();
  Value scalar = read_scalar(node, scope.model.diagnostics);
  if (scope.model.diagnostics.count() > before) return std::nullopt;
  return scalar;
}

std::optional<double> schedule_number(Scope& scope, const YamlNode& given, const Key& key) {
  const std::optional<Value> read = value_of(scope, given);
  if (!read) return std::nullopt;
  const std::optional<double> number = read->number();
  const std::string fault = number ? range_fault(key.range, *number) : std::string();
  if (number && fault.empty()) return number;
  report(scope, given.place,
         number ? fmt::format("'{}' of a schedule is {}", key.name, fault)
                : fmt::format("'{}' of a schedule is a number, not {}", key.name, described(*read)));
  return std::nullopt;
}

}  // namespace

bool is_value_name(const Scope& scope, const std::string& name) {
  const std::vector<std::string> names = value_names(scope);
  return std::ranges::find(names, name) != names.end();
}

std::optional<Value> evaluated(Scope& scope, const Expression& expression, const YamlNode& text) {
  try {
    const Budget::Level level(scope.model.budget(), value_frames);
    return evaluate(expression, names_in(scope, text), scope.model.budget());
  } catch (const ExpressionError& error) {
    report(scope, text, error);
  } catch (const OverBudget& over) {
    abandon(scope, place_in(text, expression.offset, scope.model.diagnostics.sources()), over);
  }
  return std::nullopt;
}

std::optional<Value> value_of(Scope& scope, const YamlNode& node) {
  if (node.is_empty()) return std::nullopt;  // reported with the keys
  if (node.is_scalar()) return scalar_value(scope, node);
  const Budget::Level level(scope.model.budget(), list_frames);
  scope.model.budget().spend(Resource::elements, node.items.size() + node.entries.size());
  if (is_schedule(node)) {
    const std::optional<Schedule> found = schedule(scope, node);
    return found ? std::optional(Value{*found}) : std::nullopt;
  }
  bool whole = true;
  ValueList items;
  for (const YamlNode& item : node.items) {
    std::optional<Value> one = value_of(scope, item);
    whole = whole && one;
    if (one) items.push_back(std::move(*one));
  }
  ValueMapping entries;
  for (const YamlEntry& entry : node.entries) {
    std::optional<Value> one = value_of(scope, entry.value);
    whole = whole && one;
    if (one) entries.push_back({entry.key, std::move(*one)});
  }
  if (!whole) return std::nullopt;
  Value result = node.is_mapping() ? Value{std::move(entries)} : Value{std::move(items)};
  const std::string mistake = excess(result);
  if (mistake.empty()) return result;
  report(scope, node.place, mistake);
  return std::nullopt;
}

std::optional<Value> keyword_value(Scope& scope, const Expression& e, const YamlNode& text) {
  if (e.kind == Expression::Kind::name && !is_value_name(scope, e.name)) return Value{e.name};  // act=relu
  if (e.kind != Expression::Kind::list) return evaluated(scope, e, text);
  ValueList items;
  for (const Expression& child : e.children) {
    std::optional<Value> one = keyword_value(scope, child, text);
    if (!one) return std::nullopt;
    items.push_back(std::move(*one));
  }
  return Value{std::move(items)};
}

std::optional<Schedule> schedule(Scope& scope, const YamlNode& node) {
  const YamlEntry& form = node.entries.front();
  const auto section = std::ranges::find(schedule_sections(), form.key, &Section::name);
  if (!form.value.is_mapping()) {
    report(scope, form.value.is_empty() ? form.place : form.value.place,
           fmt::format("the schedule '{}' needs named numbers", form.key),
           section->find("factor") != nullptr
               ? "Write {step: {from: 1.0e-3, factor: 0.5, epochs: 5}}."
               : fmt::format("Write {{{}: {{from: 1, to: 0, epochs: 10}}}}.", form.key));
    return std::nullopt;
  }
  const std::size_t before = scope.model.diagnostics.count();
  if (!check_keys(form.value, *section, {}, scope.model.diagnostics)) return std::nullopt;
  std::map<std::string_view, double> numbers;
  for (const Key& key : section->keys) {
    const YamlNode* given = form.value.find(key.name);
    if (given == nullptr && key.required)
      report(scope, form.place, fmt::format("the schedule '{}' needs `{}`", form.key, key.name));
    if (given == nullptr) continue;
    if (const auto number = schedule_number(scope, *given, key)) numbers[key.name] = *number;
  }
  const YamlNode* steps = form.value.find("steps");
  const YamlNode* epochs = form.value.find("epochs");
  if (steps != nullptr && epochs != nullptr) {
    report(scope, steps->place, fmt::format("the schedule '{}' has both `steps` and `epochs`", form.key),
           "Leave one out.");
  } else if (steps == nullptr && epochs == nullptr) {
    report(scope, form.place, fmt::format("the schedule '{}' needs either `steps` or `epochs`", form.key),
           "Write e.g. epochs: 10.");
  }
  if (scope.model.diagnostics.count() > before) return std::nullopt;
  constexpr std::array shapes = {Schedule::Shape::linear, Schedule::Shape::cosine, Schedule::Shape::step,
                                 Schedule::Shape::warmup};
  Schedule result;
  result.shape = shapes.at(static_cast<std::size_t>(section - schedule_sections().begin()));
  result.from = numbers["from"];
  result.to = numbers["to"];
  if (section->find("factor") != nullptr) result.factor = numbers["factor"];
  result.unit = steps != nullptr ? Schedule::Unit::steps : Schedule::Unit::epochs;
  result.length = numbers[steps != nullptr ? "steps" : "epochs"];
  return result;
}

void check_vars(Expansion& model) {
  for (const YamlEntry& entry : model.declared.vars) {
    if (model.top.arguments.contains(entry.key) || model.top.evaluating.contains(entry.key)) continue;
    try {
      named_value(model.top, entry.key);
    } catch (const ExpressionError&) {  // reported
    }
  }
}

}  // namespace graphrun
