#include "language/expand/build_nodes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "graph/op.hpp"
#include "language/expand/attributes.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/other_names.hpp"
#include "language/expand/references.hpp"
#include "language/expand/scope_values.hpp"

namespace graphrun {
namespace {

/// At the input or attribute that the error is about.
Diagnostic& report(const Scope& scope, const CallSite& site, const OpError& error) {
  Place place = error.about() == "in" ? site.inputs_place : site.place;
  const OpDef& op = scope.model.builder.registry().get(site.op);
  for (std::size_t i = 0; i < op.inputs.size() && i < site.input_places.size(); ++i)
    if (op.inputs[i].name == error.about()) place = site.input_places[i];
  for (const GivenAttribute& given : site.attributes) {
    if (given.name != error.about()) continue;
    // `when: $when` in a standard block: what is wrong was written at the call.
    const auto passed =
        scope.standard && given.yaml != nullptr ? written_argument(scope, *given.yaml) : std::nullopt;
    place = passed ? passed->place : given.value_place;
  }
  Diagnostic& diagnostic = report(scope, place, error.message(), error.fix());
  diagnostic.op = site.op;
  return diagnostic;
}

/// A wrong attribute. In a list the wrong item is shown; inside a standard block, what was passed for it.
void report_attribute(Scope& scope, const CallSite& site, const GivenAttribute& given,
                      const AttributeDeclaration& declared, const OpError& error) {
  const YamlNode* piece = given.expression == nullptr ? given.yaml : nullptr;
  if (piece != nullptr && piece->is_sequence())
    piece = &wrong_item(scope, *piece, [&](const Value& one) { attribute_from(one, declared); });
  const auto passed = piece != nullptr ? written_argument(scope, *piece) : std::nullopt;
  if (scope.standard && passed) {
    const Value& argument = scope.arguments.at(passed->name).value;
    const bool size = declared.kind == AttributeKind::shape;
    const bool is_one = argument.list() == nullptr || piece->text == "$" + passed->name;
    report(scope, passed->place,
           size ? fmt::format("'{}' is {} of at least 1, not {}", passed->name,
                              is_one ? "an integer" : "integers", described(argument))
                : error.message(),
           error.fix())
        .op = scope.block->name;
    return;
  }
  report(scope, piece != nullptr ? piece->place : given.value_place, error.message(), error.fix()).op =
      site.op;
}

/// What is given to an op: its attributes, and what a parameter is tied to.
struct Given {
  Attributes attributes;
  Value tie;
};

/// Adds one; false when it is wrong, which has been reported.
bool add(Scope& scope, const OpDef& op, const CallSite& site, const GivenAttribute& given, Given& result) {
  const auto declared = std::ranges::find_if(op.attributes, [&](const AttributeDeclaration& known) {
    return known.name == given.name && !known.internal;
  });
  const bool shaped =
      std::ranges::find(op.attributes, "shape", &AttributeDeclaration::name) != op.attributes.end();
  if (given.name == "tie" && op.traits.variable) {
    const std::optional<Value> name = tied(scope, given.value_place, *given.yaml, given.expression);
    if (!name) return false;
    result.tie = *name;
    if (name->parameter() != nullptr || name->is_null()) return true;
    report(scope, given.value_place,
           fmt::format("`tie:` names a node whose weight is shared, not {}", described(*name)));
    return false;
  }
  if (given.name == "like" && shaped) {
    const std::optional<NodeId> node = likened(scope, given.value_place, *given.yaml, given.expression);
    if (node) result.attributes.set("shape", scope.model.builder.type(*node).shape);
    return node.has_value();
  }
  if (declared == op.attributes.end()) {
    std::vector<std::string> names;
    for (const AttributeDeclaration& known : op.attributes)
      if (!known.internal) names.push_back(known.name);
    if (shaped) names.emplace_back("like");
    std::vector<std::string> inputs;
    for (const OperandDeclaration& input : op.inputs) inputs.push_back(input.name);
    report(scope, given.place, fmt::format("{} has no attribute '{}'", op.name, given.name),
           attribute_advice(given.name, op.name, names, inputs))
        .op = op.name;
    return false;
  }
  const std::optional<Value> written = value_of(scope, given);
  if (!written) return false;
  try {
    result.attributes.set(given.name, attribute_from(*written, *declared));
    return true;
  } catch (const OpError& error) {
    report_attribute(scope, site, given, *declared, error);
    return false;
  }
}

void set_origin(const Scope& scope, const CallSite& site) {
  if (scope.notes) scope.model.budget().spend(Resource::names, scope.notes->bytes);
  const SourceLocation where = scope.model.diagnostics.sources().location(shown(scope, scope.node_place));
  scope.model.builder.set_origin(
      std::make_shared<const Origin>(Origin{site.path, where, listed(scope.notes.get())}));
}

/// Does a further declaration of a parameter say what the first one said?
bool shares(const Scope& scope, const CallSite& site, const Names::Parameter& first,
            const Attributes& attributes) {
  const Node& made = scope.model.builder.node(first.node);
  const SourceLocation where = scope.model.diagnostics.sources().location(first.place);
  for (const AttributeDeclaration& declared : made.op->attributes) {
    const AttributeValue* written = attributes.find(declared.name);
    const AttributeValue& here = written != nullptr ? *written : *declared.fallback;
    const AttributeValue& there = *made.attributes.find(declared.name);
    if (here == there) continue;
    const bool shape = declared.name == "shape";
    const std::string key = shape ? "" : declared.name + ": ";
    const OpError error(
        fmt::format("parameter '{}' is {}{} here, but {}{} where it was first made, in line {}", site.params,
                    key, to_string(here), key, to_string(there), where.line),
        fmt::format("Shared parameters need equal {}.", shape ? "shapes" : "`" + declared.name + ":`"),
        declared.name);
    report(scope, site, error).notes.push_back({where, fmt::format("'{}' was first made here", site.params)});
    return false;
  }
  return true;
}

std::optional<NodeId> tied_parameter(const Scope& scope, const CallSite& site, const std::string& name,
                                     const Shape& shape) {
  Builder& builder = scope.model.builder;
  const NodeId transposed =
      builder.add("transpose", {scope.model.names.parameters.at(name).node}, {}, {site.display, {}, {}});
  const Shape& found = builder.type(transposed).shape;
  if (found != shape) {
    throw OpError(fmt::format("the tied weight '{}' is {} when transposed, but {} is needed", name,
                              to_string(found), to_string(shape)),
                  "Tie to the layer whose input and output sizes are these the other way round.", "tie");
  }
  const bool named = claim_name(scope, written_place(scope), site.display, "node");
  return named ? std::optional(transposed) : std::nullopt;
}

/// A variable is made once for each name; a second node of the same name is the same variable.
std::optional<NodeId> parameter(const Scope& scope, const CallSite& site, const Given& given) {
  const AttributeValue* given_shape = given.attributes.find("shape");
  if (given_shape == nullptr)
    throw OpError("a parameter needs a shape", "Write e.g. shape: [784, 128].", "shape");
  const Shape& shape = std::get<Shape>(*given_shape);
  if (given.tie.parameter() != nullptr)
    return tied_parameter(scope, site, given.tie.parameter()->name, shape);
  if (site.in_formula) {
    report(scope, site.place, "a call inside a formula cannot have parameters: they would have no name",
           "Give it a name of its own under `nodes:`.");
    return std::nullopt;
  }
  Names& names = scope.model.names;
  const auto existing = names.parameters.find(site.params);
  if (existing != names.parameters.end()) {
    if (!shares(scope, site, existing->second, given.attributes)) return std::nullopt;
    names.own(site.path, existing->second.node);
    return existing->second.node;
  }
  for (const Dim& dim : shape) {
    if (dim.is_number(-1)) throw OpError("the size of a parameter's axis is at least 1, not -1", {}, "shape");
  }
  element_polynomial(shape);  // throws when the size overflows
  if (!claim_name(scope, written_place(scope), site.params, "parameter")) return std::nullopt;
  const NodeId made = scope.model.builder.add("param", {}, given.attributes, {site.params, {}, {}});
  names.parameters[site.params] = {made, written_place(scope)};
  names.own(site.path, made);
  names.own(site.params, made);
  return made;
}

}  // namespace

std::optional<Value> value_of(Scope& scope, const GivenAttribute& given) {
  return given.expression == nullptr ? value_of(scope, *given.yaml)
                                     : keyword_value(scope, *given.expression, *given.yaml);
}

std::string attribute_advice(const std::string& given, const std::string& op,
                             const std::vector<std::string>& names, const std::vector<std::string>& inputs) {
  if (std::ranges::find(inputs, given) != inputs.end())
    return inputs.size() == 1 ? "It is an input: what stands here goes behind `in:`."
                              : fmt::format("It is an input: all of them go behind `in:`, as [{}].",
                                            fmt::join(inputs, ", "));
  const std::string_view here = attribute_elsewhere(given);
  // `reduce` is the term's own.
  const bool known = here == "reduce" || std::ranges::find(names, here) != names.end();
  if (!here.empty() && known) return fmt::format("Write `{}:`.", here);
  static const std::vector<std::string> of_calls = {"in", "params", "repeat"};
  if (nearest_name(given, names).empty() && !nearest_name(given, of_calls).empty())
    return suggestion(given, of_calls);
  return names.empty() ? fmt::format("{} takes none.", op) : suggestion(given, names);
}

Instance call_op(Scope& scope, const OpDef& op, const CallSite& site) {
  Given given;
  bool whole = true;
  for (const GivenAttribute& attribute : site.attributes)
    whole = add(scope, op, site, attribute, given) && whole;
  if (!whole || !claim_path(scope, written_place(scope), site.path)) return {};
  try {
    set_origin(scope, site);
    if (op.traits.variable) return {.node = parameter(scope, site, given), .params = site.params};
    if (!claim_name(scope, written_place(scope), site.display, "node")) return {};
    return {.node = scope.model.builder.add(op.name, site.inputs, std::move(given.attributes),
                                            {site.display, {}, {}}),
            .params = site.params};
  } catch (const OpError& error) {
    report(scope, site, error);
  } catch (const OverBudget& over) {
    abandon(scope, site.place, over);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) throw;
    // Sizes that overflow: what is written about them is the shape.
    report(scope, site, OpError(error.message(), {}, "shape"));
  }
  return {};
}

NodeId scheduled_input(Expansion& model, const Schedule& schedule, const std::string& name) {
  if (schedule.shape == Schedule::Shape::constant) return model.builder.constant(schedule.from);
  const NodeId id = model.builder.add("input", {}, {{"shape", Shape{}}}, {name, {}, {}});
  model.scheduled.push_back({model.builder.node(id).name, schedule});
  return id;
}

}  // namespace graphrun
