// References: `enc`, `enc.1`, `enc.$(n - 1)`, `enc.mu`, `code.w`, and what `tie:` and `like:` name.
#include <fmt/format.h>

#include "errors/nearest.hpp"
#include "language/expand/expander.hpp"

namespace graphrun {
namespace {

using Kind = Expression::Kind;

std::vector<std::string> node_names(const Scope& scope) {
  std::vector<std::string> names;
  for (const auto& [name, instance] : scope.instances) names.push_back(name);
  return names;
}

void collect_sizes(const Expression& e, std::set<std::string>& names) {
  if (e.kind == Kind::call && (e.name == "dim" || e.name == "rank") && !e.children.empty()) {
    const Expression& node = e.children.front();
    if (node.kind == Kind::name) names.insert(node.name);
    if (node.kind == Kind::reference) names.insert(node.children.front().name);
  }
  for (const Expression& child : e.children) collect_sizes(child, names);
}

}  // namespace

void collect_references(const Expression& e, std::set<std::string>& names) {
  if (e.kind == Kind::host) return collect_sizes(e, names);
  if (e.kind == Kind::name) names.insert(e.name);
  for (const Expression& child : e.children) collect_references(child, names);
  for (const Expression::Keyword& keyword : e.keywords) {
    if (keyword.name == "like" || keyword.name == "tie") {
      collect_references(keyword.value, names);
    } else {
      collect_sizes(keyword.value, names);
    }
  }
}

/// Follows a reference as far as it names nodes; `rest` is what is left of it: "w", "h.w", or nothing. Null
/// when the node is unknown, which has been reported.
const Instance* Expander::instance_of(Scope& scope, const Expression& reference, const YamlNode& text,
                                      std::string& rest) {
  const Expression& base = reference.kind == Kind::reference ? reference.children.front() : reference;
  const auto at = [&](const Expression& piece) {
    return place_in(text, piece.offset, diagnostics_.sources());
  };
  const auto found = scope.instances.find(base.name);
  if (found == scope.instances.end()) {
    const bool is_value = named_value(scope, base.name).has_value();
    const std::vector<std::string> names = node_names(scope);
    const bool outside = scope.block != nullptr && top_.instances.count(base.name) != 0;
    std::string fix = nearest_name(base.name, names);
    if (is_value) {
      fix = fmt::format("'{0}' is a value: write ${0}.", base.name);
    } else if (outside) {
      fix = fmt::format("A block sees only its inputs: pass '{}' to it.", base.name);
    } else if (!fix.empty()) {
      fix = fmt::format("Did you mean '{}'?", fix);
    } else if (builder_.registry().find(base.name) != nullptr) {
      fix = fmt::format("'{0}' is an op: {0}(…) calls it.", base.name);
    } else {
      fix = suggestion(base.name, names);
    }
    report(scope, at(base), fmt::format("there is no node '{}' here", base.name), fix);
    return nullptr;
  }
  const Instance* instance = &found->second;
  if (reference.kind != Kind::reference) return instance;
  std::string written = base.name;
  for (std::size_t i = 1; i < reference.children.size(); ++i) {
    const Expression& piece = reference.children[i];
    const std::optional<Value> part = evaluated(scope, piece, text);
    if (!part) return nullptr;
    const std::string name = to_string(*part);
    const bool number = !name.empty() && name.find_first_not_of("-0123456789") == std::string::npos;
    const NumberReading reading = read_number(name);
    if (rest.empty() && number && reading.value) {
      const std::int64_t copy = *reading.value->integer();
      if (!instance->node) return nullptr;
      if (copy < 0 || copy >= static_cast<std::int64_t>(instance->copies.size())) {
        const std::size_t count = instance->copies.size();
        report(scope, at(piece),
               count == 0 ? fmt::format("'{}' is not repeated: there is no {}.{}", written, written, name)
                          : fmt::format("'{}' has {} copies, 0 to {}: there is no {}.{}", written, count,
                                        count - 1, written, name));
        return nullptr;
      }
      instance = &instance->copies[static_cast<std::size_t>(copy)];
    } else {
      rest += (rest.empty() ? "" : ".") + name;
    }
    written += "." + name;
  }
  return instance;
}

const Instance* Expander::named(const YamlNode& reference) {
  if (!reference.is_scalar()) {
    report(top_, reference.place,
           fmt::format("the name of a node is expected, not {}", describe_kind(reference)));
    return nullptr;
  }
  try {
    const Expression expression = parse_expression(reference.text, Grammar::formula, budget_);
    const bool names = expression.kind == Kind::name || expression.kind == Kind::reference;
    std::string rest;
    const Instance* instance = names ? instance_of(top_, expression, reference, rest) : nullptr;
    if (names && rest.empty()) return instance;
    if (instance != nullptr || !names)
      report(top_, reference.place, fmt::format("the name of a node is expected, not '{}'", reference.text));
  } catch (const ExpressionError& error) {
    report(top_, place_in(reference, error.offset(), diagnostics_.sources()), error.what(), error.fix());
  } catch (const Poisoned&) {  // reported
  }
  return nullptr;
}

std::optional<NodeId> Expander::node_of(Scope& scope, const Expression& reference, const YamlNode& text) {
  const auto place = [&] { return place_in(text, reference.offset, diagnostics_.sources()); };
  if (reference.kind == Kind::name && reference.name == "batch" && scope.instances.count("batch") == 0) {
    budget_.spend(Resource::nodes, 1);
    return batch_count(scope, text, reference.offset);
  }
  if (reference.kind != Kind::name && reference.kind != Kind::reference) {
    report(scope, place(), "the name of a node is expected here");
    return std::nullopt;
  }
  std::string rest;
  const Instance* instance = instance_of(scope, reference, text, rest);
  if (instance == nullptr || !instance->node) return std::nullopt;
  if (rest.empty()) return instance->node;
  const auto output = instance->outputs.find(rest);
  if (output != instance->outputs.end()) return output->second;
  const Instance& owner = instance->copies.empty() ? *instance : instance->copies.back();
  const auto parameter = parameters_.find(owner.params + "." + rest);
  if (parameter != parameters_.end()) return parameter->second;
  std::vector<std::string> known;
  for (const auto& [name, id] : instance->outputs) known.push_back(name);
  for (const auto& [name, id] : parameters_) {
    if (name.starts_with(owner.params + ".")) known.push_back(name.substr(owner.params.size() + 1));
  }
  const std::string& base = reference.children.front().name;
  report(scope, place(), fmt::format("node '{}' has no output or parameter '{}'", base, rest),
         known.empty() ? fmt::format("'{}' has no parameters.", base) : suggestion(rest, known));
  return std::nullopt;
}

/// The name of the parameter that `tie:` means: of the node's weight, or the one that it names itself.
std::optional<Value> Expander::tied(Scope& scope, const GivenAttribute& given) {
  const YamlNode& text = *given.yaml;
  if (given.expression == nullptr &&
      (!text.is_scalar() || is_value_reference(text.text) || text.text == "null")) {
    return value(scope, text);
  }
  try {
    const Expression reference = given.expression != nullptr
                                     ? *given.expression
                                     : parse_expression(text.text, Grammar::formula, budget_);
    if (reference.kind != Kind::name && reference.kind != Kind::reference) {
      report(scope, given.value_place, "`tie:` names a node whose weight is shared",
             "Write e.g. tie: enc.0.");
      return std::nullopt;
    }
    std::string rest;
    const Instance* instance = instance_of(scope, reference, text, rest);
    if (instance == nullptr || !instance->node) return std::nullopt;
    const Instance& owner = instance->copies.empty() ? *instance : instance->copies.back();
    const std::string name = owner.params + "." + (rest.empty() ? "w" : rest);
    if (parameters_.count(name) != 0) return Value{ParameterName{name}};
    report(scope, given.value_place, fmt::format("there is no weight '{}' to tie to", name),
           "Tie to a dense node, or name the parameter: enc.0.w.");
  } catch (const ExpressionError& error) {
    report(scope, place_in(text, error.offset(), diagnostics_.sources()), error.what(), error.fix());
  } catch (const Poisoned&) {
  }
  return std::nullopt;
}

/// The node that `like:` names.
std::optional<NodeId> Expander::referred(Scope& scope, const GivenAttribute& given) {
  if (given.expression != nullptr) return node_of(scope, *given.expression, *given.yaml);
  if (!given.yaml->is_scalar()) {
    report(scope, given.value_place, fmt::format("`like:` names a node, not {}", describe_kind(*given.yaml)));
    return std::nullopt;
  }
  try {
    return node_of(scope, parse_expression(given.yaml->text, Grammar::formula, budget_), *given.yaml);
  } catch (const ExpressionError& error) {
    report(scope, place_in(*given.yaml, error.offset(), diagnostics_.sources()), error.what(), error.fix());
  }
  return std::nullopt;
}

/// `batch` in a formula: how many samples there are.
std::optional<NodeId> Expander::batch_count(Scope& scope, const YamlNode& text, std::size_t offset) {
  for (const InputDeclaration& declared : declared_.inputs) {
    const Instance& input = top_.instances[declared.name];
    if (!input.node) continue;
    const Shape& shape = builder_.type(*input.node).shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (!shape[axis].is_batch()) continue;
      return builder_.add("size", {*input.node}, {{"axis", Axes{false, {static_cast<std::int64_t>(axis)}}}});
    }
  }
  report(scope, place_in(text, offset, diagnostics_.sources()),
         "no input of the model has the batch as an axis", "Declare e.g. x: {shape: [batch, 784]}.");
  return std::nullopt;
}

}  // namespace graphrun
