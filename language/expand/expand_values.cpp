// Values: `$name` and `$(…)` in the scope of a file or a block, and schedules.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "errors/nearest.hpp"
#include "language/expand/expander.hpp"

namespace graphrun {
namespace {

std::vector<std::string> value_names(const Scope& scope, const std::vector<YamlEntry>& vars) {
  std::vector<std::string> names;
  if (scope.item) names.emplace_back("item");
  if (scope.index) names.emplace_back("index");
  if (scope.block == nullptr) {
    for (const YamlEntry& entry : vars) names.push_back(entry.key);
  } else {
    for (const BlockDeclaration::Argument& argument : scope.block->arguments) names.push_back(argument.name);
  }
  return names;
}

}  // namespace

/// Where the value of a name is written that no call has given: a var of the file, the default of an
/// argument.
const YamlNode* Expander::fallback_of(const Scope& scope, const std::string& name) const {
  if (scope.block == nullptr) {
    const auto var = vars_.find(name);
    return var == vars_.end() ? nullptr : var->second;
  }
  const BlockDeclaration::Argument* argument = scope.block->find_argument(name);
  return argument == nullptr || argument->required ? nullptr : &argument->fallback;
}

std::optional<Value> Expander::named_value(Scope& scope, const std::string& name) {
  if (name == "item" && scope.item) return scope.item;
  if (name == "index" && scope.index) return scope.index;
  const auto known = scope.arguments.find(name);
  if (known != scope.arguments.end()) return known->second.value;
  const YamlNode* fallback = fallback_of(scope, name);
  if (fallback == nullptr) return std::nullopt;
  if (!scope.evaluating.insert(name).second) throw Poisoned{};  // a cycle, or wrong: reported the first time
  const Place place = fallback->place;
  if (!budget_.has_room(value_frames)) {
    report(scope, place, "values refer to each other too deeply");
    throw Poisoned{};
  }
  std::optional<Value> computed = value(scope, *fallback);
  if (!computed) throw Poisoned{};
  scope.arguments[name] = {*computed, place};
  return computed;
}

ValueScope Expander::value_scope(Scope& scope) {
  ValueScope result;
  result.value = [this, &scope](const std::string& name) { return named_value(scope, name); };
  result.names = [this, &scope] { return value_names(scope, declared_.vars); };
  result.hint = [this, &scope](const std::string& name) -> std::string {
    if (name == "item" || name == "index") return fmt::format("${} is known in a node with `repeat:`.", name);
    const bool outside = scope.block != nullptr && vars_.count(name) != 0;
    return outside
               ? fmt::format("A block sees only its arguments: add '{}' to its `args:` and pass it.", name)
               : "";
  };
  return result;
}

std::optional<Value> Expander::evaluated(Scope& scope, const Expression& expression, const YamlNode& text) {
  try {
    const Budget::Level level(budget_, value_frames);
    ValueScope names = value_scope(scope);
    names.call = [this, &scope, &text](const Expression& call, const ValueScope&) {
      return size_function(scope, call, text);
    };
    return evaluate(expression, names, budget_);
  } catch (const ExpressionError& error) {
    report(scope, place_in(text, error.offset(), diagnostics_.sources()), error.what(), error.fix());
  } catch (const OverBudget& over) {
    abandon(scope, place_in(text, expression.offset, diagnostics_.sources()), over);
  } catch (const Poisoned&) {
  }
  return std::nullopt;
}

/// dim(x, -1), the size of an axis of a node, and rank(x), the number of its axes.
std::optional<Value> Expander::size_function(Scope& scope, const Expression& call, const YamlNode& text) {
  if (call.name != "dim" && call.name != "rank") return std::nullopt;
  const std::size_t expected = call.name == "dim" ? 2 : 1;
  if (call.children.size() != expected || !call.keywords.empty()) {
    throw ExpressionError(call.offset, call.name == "dim" ? "dim takes a node and an axis: dim(x, -1)"
                                                          : "rank takes a node: rank(x)");
  }
  const std::optional<NodeId> node = node_of(scope, call.children[0], text);
  if (!node) throw Poisoned{};
  const Shape& shape = builder_.type(*node).shape;
  if (call.name == "rank") return Value{static_cast<std::int64_t>(shape.size())};
  const std::optional<Value> axis = evaluated(scope, call.children[1], text);
  if (!axis) throw Poisoned{};
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

std::optional<Value> Expander::scalar_value(Scope& scope, const YamlNode& node) {
  if (is_value_reference(node.text)) {
    try {
      return evaluated(scope, parse_expression(node.text, Grammar::formula, budget_), node);
    } catch (const ExpressionError& error) {
      report(scope, place_in(node, error.offset(), diagnostics_.sources()), error.what(), error.fix());
      return std::nullopt;
    }
  }
  if (!node.quoted && node.text.find('$') != std::string::npos) {
    std::string inner = node.text;
    std::erase(inner, '$');
    report(scope, node.place, fmt::format("'{}' mixes a value with text", node.text),
           fmt::format("Compute it in $( ): $({}).", inner));
    return std::nullopt;
  }
  const std::size_t before = diagnostics_.count();
  Value scalar = read_scalar(node, diagnostics_);
  if (diagnostics_.count() > before) return std::nullopt;
  return scalar;
}

std::optional<Value> Expander::value(Scope& scope, const YamlNode& node) {
  if (node.is_empty()) return std::nullopt;  // reported with the keys
  if (node.is_scalar()) return scalar_value(scope, node);
  const Budget::Level level(budget_, list_frames);
  budget_.spend(Resource::elements, node.items.size() + node.entries.size());
  if (is_schedule(node)) {
    const std::optional<Schedule> found = schedule(scope, node);
    return found ? std::optional(Value{*found}) : std::nullopt;
  }
  bool whole = true;
  ValueList items;
  for (const YamlNode& item : node.items) {
    std::optional<Value> one = value(scope, item);
    whole = whole && one;
    if (one) items.push_back(std::move(*one));
  }
  ValueMapping entries;
  for (const YamlEntry& entry : node.entries) {
    std::optional<Value> one = value(scope, entry.value);
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

std::optional<Value> Expander::value(Scope& scope, const GivenAttribute& given) {
  if (given.expression == nullptr) return value(scope, *given.yaml);
  const Expression& e = *given.expression;
  if (e.kind == Expression::Kind::name) {  // a value: axis=n; or a word: act=relu
    const std::vector<std::string> names = value_names(scope, declared_.vars);
    const bool is_value = std::find(names.begin(), names.end(), e.name) != names.end();
    return is_value ? evaluated(scope, e, *given.yaml) : std::optional(Value{e.name});
  }
  if (e.kind == Expression::Kind::list) {
    ValueList items;
    for (const Expression& child : e.children) {
      GivenAttribute item = given;
      item.expression = &child;
      std::optional<Value> one = value(scope, item);
      if (!one) return std::nullopt;
      items.push_back(std::move(*one));
    }
    return Value{std::move(items)};
  }
  return evaluated(scope, e, *given.yaml);
}

std::optional<double> Expander::schedule_number(Scope& scope, const YamlNode& given, const Key& key) {
  const std::optional<Value> read = value(scope, given);
  if (!read) return std::nullopt;
  const std::optional<double> number = read->number();
  if (number && key.range.contains(*number)) return number;
  report(scope, given.place,
         number ? fmt::format("'{}' of a schedule is {}", key.name, range_fault(key, *number))
                : fmt::format("'{}' of a schedule is a number, not {}", key.name, described(*read)));
  return std::nullopt;
}

std::optional<Schedule> Expander::schedule(Scope& scope, const YamlNode& node) {
  const YamlEntry& form = node.entries.front();
  const auto section = std::find_if(schedule_sections().begin(), schedule_sections().end(),
                                    [&form](const Section& s) { return s.name == form.key; });
  if (!form.value.is_mapping()) {
    report(scope, form.value.is_empty() ? form.place : form.value.place,
           fmt::format("the schedule '{}' needs named numbers", form.key),
           section->find("factor") != nullptr
               ? "Write {step: {from: 1.0e-3, factor: 0.5, epochs: 5}}."
               : fmt::format("Write {{{}: {{from: 1, to: 0, epochs: 10}}}}.", form.key));
    return std::nullopt;
  }
  const std::size_t before = diagnostics_.count();
  if (!check_keys(form.value, *section, {}, diagnostics_)) return std::nullopt;
  std::map<std::string_view, double> numbers;
  for (const Key& key : section->keys) {
    const YamlNode* given = form.value.find(key.name);
    if (given == nullptr && key.required)
      report(scope, form.place, fmt::format("the schedule '{}' needs `{}`", form.key, key.name));
    if (given == nullptr) continue;
    if (const auto number = schedule_number(scope, *given, key)) numbers[key.name] = *number;
  }
  const bool steps = form.value.find("steps") != nullptr;
  const bool epochs = form.value.find("epochs") != nullptr;
  if (steps && epochs) {
    report(scope, form.value.find("steps")->place,
           fmt::format("the schedule '{}' has both `steps` and `epochs`", form.key), "Leave one out.");
  } else if (!steps && !epochs) {
    report(scope, form.place, fmt::format("the schedule '{}' needs either `steps` or `epochs`", form.key),
           "Write e.g. epochs: 10.");
  }
  if (diagnostics_.count() > before) return std::nullopt;
  constexpr std::array shapes = {Schedule::Shape::linear, Schedule::Shape::cosine, Schedule::Shape::step,
                                 Schedule::Shape::warmup};
  Schedule result;
  result.shape = shapes.at(static_cast<std::size_t>(section - schedule_sections().begin()));
  result.from = numbers["from"];
  result.to = numbers["to"];
  if (section->find("factor") != nullptr) result.factor = numbers["factor"];
  result.unit = steps ? Schedule::Unit::steps : Schedule::Unit::epochs;
  result.length = numbers[steps ? "steps" : "epochs"];
  return result;
}

void Expander::check_vars() {
  for (const YamlEntry& entry : declared_.vars) {
    if (top_.arguments.count(entry.key) != 0 || top_.evaluating.count(entry.key) != 0) continue;
    try {
      named_value(top_, entry.key);
    } catch (const Poisoned&) {
      if (diagnostics_.empty()) {
        report(top_, entry.place, fmt::format("the value '{}' refers to itself", entry.key),
               "Give it a value.");
      }
    }
  }
}

}  // namespace graphrun
