#include "language/expand/references.hpp"

#include <fmt/format.h>

#include "errors/nearest.hpp"
#include "graph/op.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/scope_values.hpp"

namespace graphrun {
namespace {

using Kind = Expression::Kind;

bool is_reference(const Expression& e) {
  return e.kind == Kind::name || e.kind == Kind::reference;
}

Place place_of(const Scope& scope, const Expression& piece, const YamlNode& text) {
  return place_in(text, piece.offset, scope.model.diagnostics.sources());
}

std::string advice_on_unknown(const Scope& scope, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, instance] : scope.instances) names.push_back(known);
  if (is_value_name(scope, name)) return fmt::format("'{0}' is a value: write ${0}.", name);
  if (scope.block != nullptr && scope.model.top.instances.contains(name))
    return fmt::format("A block sees only its inputs: pass '{}' to it.", name);
  const std::string nearest = nearest_name(name, names);
  if (!nearest.empty()) return fmt::format("Did you mean '{}'?", nearest);
  if (scope.model.builder.registry().find(name) != nullptr)
    return fmt::format("'{0}' is an op: {0}(…) calls it.", name);
  return suggestion(name, names);
}

/// What a reference names; `rest` is what is left of it behind the nodes: "w", "h.w", or nothing. A null
/// instance is unknown, which has been reported.
struct Followed {
  const Instance* instance = nullptr;
  std::string rest = {};
};

Followed follow(Scope& scope, const Expression& reference, const YamlNode& text) {
  const Expression& base = reference.kind == Kind::reference ? reference.children.front() : reference;
  const auto found = scope.instances.find(base.name);
  if (found == scope.instances.end()) {
    report(scope, place_of(scope, base, text), fmt::format("there is no node '{}' here", base.name),
           advice_on_unknown(scope, base.name));
    return {};
  }
  Followed result{&found->second};
  if (reference.kind != Kind::reference) return result;
  std::string written = base.name;
  for (std::size_t i = 1; i < reference.children.size(); ++i) {
    const Expression& piece = reference.children[i];
    const std::optional<Value> part = evaluated(scope, piece, text);
    if (!part) return {};
    const std::string name = to_string(*part);
    const bool number = !name.empty() && name.find_first_not_of("-0123456789") == std::string::npos;
    const NumberReading reading = read_number(name);
    if (result.rest.empty() && number && reading.value) {
      const std::int64_t copy = *reading.value->integer();
      const std::vector<Instance>& copies = result.instance->copies;
      if (!result.instance->node) return {};
      if (copy < 0 || copy >= static_cast<std::int64_t>(copies.size())) {
        report(scope, place_of(scope, piece, text),
               copies.empty() ? fmt::format("'{}' is not repeated: there is no {}.{}", written, written, name)
                              : fmt::format("'{}' has {} copies, 0 to {}: there is no {}.{}", written,
                                            copies.size(), copies.size() - 1, written, name));
        return {};
      }
      result.instance = &copies[static_cast<std::size_t>(copy)];
    } else {
      result.rest += (result.rest.empty() ? "" : ".") + name;
    }
    written += "." + name;
  }
  return result;
}

/// The word `batch`: how many samples there are.
std::optional<NodeId> batch_count(Scope& scope, const Expression& word, const YamlNode& text) {
  scope.model.budget().spend(Resource::nodes, 1);
  Builder& builder = scope.model.builder;
  for (const InputDeclaration& declared : scope.model.declared.inputs) {
    const Instance& input = scope.model.top.instances[declared.name];
    if (!input.node) continue;
    const Shape& shape = builder.type(*input.node).shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (!shape[axis].is_batch()) continue;
      return builder.add("size", {*input.node}, {{"axis", Axes{false, {static_cast<std::int64_t>(axis)}}}});
    }
  }
  report(scope, place_of(scope, word, text), "no input of the model has the batch as an axis",
         "Declare e.g. x: {shape: [batch, 784]}.");
  return std::nullopt;
}

/// Of a repeat, its last copy.
const std::string& params_of(const Instance& instance) {
  return instance.copies.empty() ? instance.params : instance.copies.back().params;
}

}  // namespace

std::optional<NodeId> node_of(Scope& scope, const Expression& reference, const YamlNode& text) {
  if (reference.kind == Kind::name && reference.name == "batch" && !scope.instances.contains("batch"))
    return batch_count(scope, reference, text);
  if (!is_reference(reference)) {
    report(scope, place_of(scope, reference, text), "the name of a node is expected here");
    return std::nullopt;
  }
  const auto [instance, rest] = follow(scope, reference, text);
  if (instance == nullptr || !instance->node) return std::nullopt;
  if (rest.empty()) return instance->node;
  const auto output = instance->outputs.find(rest);
  if (output != instance->outputs.end()) return output->second;
  const std::map<std::string, Names::Parameter>& parameters = scope.model.names.parameters;
  const std::string prefix = params_of(*instance) + ".";
  const auto parameter = parameters.find(prefix + rest);
  if (parameter != parameters.end()) return parameter->second.node;
  std::vector<std::string> known;
  for (const auto& [name, id] : instance->outputs) known.push_back(name);
  for (const auto& [name, made] : parameters)
    if (name.starts_with(prefix)) known.push_back(name.substr(prefix.size()));
  const std::string& base = reference.children.front().name;
  report(scope, place_of(scope, reference, text),
         fmt::format("node '{}' has no output or parameter '{}'", base, rest),
         known.empty() ? fmt::format("'{}' has no parameters.", base) : suggestion(rest, known));
  return std::nullopt;
}

const Instance* named(Scope& scope, const YamlNode& reference) {
  if (!reference.is_scalar()) {
    report(scope, reference.place,
           fmt::format("the name of a node is expected, not {}", describe_kind(reference)));
    return nullptr;
  }
  return of_formula(scope, reference, [&](const Expression& expression) -> const Instance* {
    if (is_reference(expression)) {
      const auto [instance, rest] = follow(scope, expression, reference);
      if (instance == nullptr || rest.empty()) return instance;
    }
    report(scope, reference.place, fmt::format("the name of a node is expected, not '{}'", reference.text));
    return nullptr;
  });
}

std::optional<Value> tied(Scope& scope, const Place& place, const YamlNode& text,
                          const Expression* reference) {
  if (reference == nullptr) {
    if (!text.is_scalar() || is_value_reference(text.text) || text.text == "null")
      return value_of(scope, text);
    return of_formula(scope, text, [&](const Expression& whole) { return tied(scope, place, text, &whole); });
  }
  if (!is_reference(*reference)) {
    report(scope, place, "`tie:` names a node whose weight is shared", "Write e.g. tie: enc.0.");
    return std::nullopt;
  }
  const auto [instance, rest] = follow(scope, *reference, text);
  if (instance == nullptr || !instance->node) return std::nullopt;
  const std::string name = params_of(*instance) + "." + (rest.empty() ? "w" : rest);
  if (scope.model.names.parameters.contains(name)) return Value{ParameterName{name}};
  report(scope, place, fmt::format("there is no weight '{}' to tie to", name),
         "Tie to a dense node, or name the parameter: enc.0.w.");
  return std::nullopt;
}

std::optional<NodeId> likened(Scope& scope, const Place& place, const YamlNode& text,
                              const Expression* reference) {
  if (reference != nullptr) return node_of(scope, *reference, text);
  if (text.is_scalar())
    return of_formula(scope, text, [&](const Expression& whole) { return node_of(scope, whole, text); });
  report(scope, place, fmt::format("`like:` names a node, not {}", describe_kind(text)));
  return std::nullopt;
}

}  // namespace graphrun
