// Calls: an op becomes a node, a block becomes the nodes of its body.
#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "language/expand/expander.hpp"
#include "language/expand/other_names.hpp"

namespace graphrun {
namespace {

constexpr std::size_t steps_of_argument = 10;  // its name and value are looked up and kept

/// What to write instead of an attribute that an op or block has not. `reduce` is the term's own.
std::string attribute_advice(const std::string& given, const std::string& op,
                             const std::vector<std::string>& names) {
  const std::string_view here = attribute_elsewhere(given);
  const bool known = here == "reduce" || std::find(names.begin(), names.end(), here) != names.end();
  if (!here.empty() && known) return fmt::format("Write `{}:`.", here);
  return names.empty() ? fmt::format("{} takes none.", op) : suggestion(given, names);
}

}  // namespace

/// Of the node's key; of the node in the file whose standard block is being expanded.
const Place& Expander::written_place(const Scope& scope) {
  const Scope* at = &scope;
  while (at->standard && at->caller != nullptr) at = at->caller;
  return at->node_place;
}

void Expander::set_origin(const Scope& scope, const CallSite& site) {
  Origin origin;
  origin.path = site.path;
  origin.where = diagnostics_.sources().location(shown(scope, scope.node_place));
  if (scope.notes) budget_.spend(Resource::names, scope.notes->bytes);
  origin.notes = listed(scope.notes.get());
  builder_.set_origin(std::make_shared<const Origin>(std::move(origin)));
}

/// What can be said of a call before its inputs are known: that its op or block exists, and takes what is
/// given.
bool Expander::callable(Scope& scope, const CallSite& site) {
  if (const BlockDeclaration* block = find_block(site.op))
    return block->broken || check_arguments(scope, *block, site);
  const OpDef* op = builder_.registry().find(site.op);
  if (op != nullptr && !op->internal && !op->traits.effect && !op->traits.input) return true;
  if (op != nullptr && op->traits.input) {
    report(scope, site.place, "an input is declared under `inputs:`",
           "Write it there: x: {shape: [batch, 784]}.");
  } else {
    // `act: Linear` inside of `dense` is the op that is nearest.
    const bool near = scope.standard && !nearest_name(site.op, callable_names()).empty();
    const std::string elsewhere = near ? "" : known_elsewhere(NameOf::op, site.op);
    report(scope, site.place, fmt::format("there is no op or block '{}'", site.op),
           elsewhere.empty() ? suggestion(site.op, callable_names(), "`graphrun ops`") : elsewhere);
  }
  return false;
}

Instance Expander::call(Scope& scope, CallSite site) {
  try {
    budget_.spend(Resource::nodes, 1);
    budget_.spend(Resource::names,
                  site.path.size() + site.params.size() + site.display.size() + site.op.size());
    budget_.spend(Resource::steps, site.attributes.size() * steps_of_argument);
  } catch (const OverBudget& over) {
    abandon(scope, site.place, over);
  }
  if (!callable(scope, site)) return {};
  site.in_formula = site.in_formula || scope.in_formula;
  const BlockDeclaration* block = find_block(site.op);
  return block != nullptr ? call_block(scope, *block, site)
                          : call_op(scope, builder_.registry().get(site.op), site);
}

bool Expander::recursion(const Scope& scope, const BlockDeclaration& block, const CallSite& site) {
  std::string path = block.name;
  for (const Scope* at = &scope; at != nullptr && at->block != nullptr; at = at->caller) {
    path = at->block->name + " → " + path;
    if (at->block == &block) {
      report(scope, site.place, fmt::format("a block cannot call itself: {}", path));
      return true;
    }
  }
  return false;
}

Instance Expander::call_block(Scope& scope, const BlockDeclaration& block, const CallSite& site) {
  if (block.broken || recursion(scope, block, site)) return {};
  if (site.inputs.size() != block.inputs.size()) {
    std::string names;
    for (const BlockDeclaration::Name& input : block.inputs)
      names += (names.empty() ? "" : ", ") + input.text;
    const std::size_t count = block.inputs.size();
    Diagnostic& diagnostic =
        report(scope, site.inputs_place,
               fmt::format("{} takes {} input{}{}, not {}", block.name, count, count == 1 ? "" : "s",
                           names.empty() ? "" : " (" + names + ")", site.inputs.size()));
    diagnostic.op = block.name;
    return {};
  }
  if (!budget_.has_room(block_frames)) {
    report(scope, site.place, "blocks call blocks too deeply", "Call fewer blocks in each other.");
    return {};
  }
  const Budget::Level level(budget_, block_frames);
  Scope inner;
  inner.caller = &scope;
  inner.block = &block;
  inner.standard = block.standard || scope.standard;
  inner.in_formula = site.in_formula;
  inner.path = site.path;
  inner.params = site.params;
  inner.display = site.display;
  inner.shown_node = scope.standard ? scope.shown_node : scope.node;
  inner.call_place = scope.standard ? scope.call_place : site.inputs_place;
  const SourceLocation called = diagnostics_.sources().location(shown(scope, site.place));
  const std::string note = fmt::format("in block '{}', called here", block.name);
  inner.notes = std::make_shared<const CallNotes>(
      CallNotes{{called, note}, scope.notes, note.size() + (scope.notes ? scope.notes->bytes : 0)});
  for (std::size_t i = 0; i < block.inputs.size(); ++i) {
    inner.instances[block.inputs[i].text].node = site.inputs[i];
  }
  if (!bind_arguments(scope, inner, site)) return {};
  expand(inner, block.nodes);
  Instance result;
  result.params = site.params;
  for (const BlockDeclaration::Name& output : block.outputs) {
    const auto found = inner.instances.find(output.text);
    if (found == inner.instances.end()) {
      std::vector<std::string> names;
      for (const auto& [name, instance] : inner.instances) names.push_back(name);
      diagnostics_.error(output.place,
                         fmt::format("block '{}' has no node '{}' to give out", block.name, output.text),
                         suggestion(output.text, names));
      return {};
    }
    if (!found->second.node) return {};
    if (block.outputs.size() > 1) result.outputs[output.text] = *found->second.node;
    if (!result.node) result.node = found->second.node;
  }
  return result;
}

bool Expander::check_arguments(Scope& scope, const BlockDeclaration& block, const CallSite& site) {
  bool whole = true;
  std::set<std::string_view> written;
  for (const GivenAttribute& given : site.attributes) written.insert(given.name);
  std::vector<std::string> names;
  for (const BlockDeclaration::Argument& argument : block.arguments) names.push_back(argument.name);
  std::vector<std::string> meant;  // by names that are misspelt: one mistake is one error
  for (const GivenAttribute& given : site.attributes) {
    if (block.find_argument(given.name) != nullptr) continue;
    const std::string_view elsewhere = attribute_elsewhere(given.name);
    meant.push_back(elsewhere.empty() ? nearest_name(given.name, names) : std::string(elsewhere));
    report(scope, given.place, fmt::format("block '{}' has no argument '{}'", block.name, given.name),
           attribute_advice(given.name, block.name, names))
        .op = block.name;
    whole = false;
  }
  for (const BlockDeclaration::Argument& argument : block.arguments) {
    if (!argument.required || written.count(argument.name) != 0) continue;
    if (std::find(meant.begin(), meant.end(), argument.name) != meant.end()) continue;
    report(scope, site.place, fmt::format("block '{}' needs the argument '{}'", block.name, argument.name),
           fmt::format("Write `{}: …`.", argument.name))
        .op = block.name;
    whole = false;
  }
  return whole;
}

bool Expander::bind_arguments(Scope& scope, Scope& inner, const CallSite& site) {
  bool whole = true;
  for (const GivenAttribute& given : site.attributes) {
    const std::optional<Value> passed = given.name == "tie" ? tied(scope, given) : value(scope, given);
    if (passed) inner.arguments[given.name] = {*passed, given.value_place};
    whole = whole && passed && in_range(scope, inner, given, *passed);
  }
  return whole;
}

/// Is the number, or are the values that the schedule takes, in the range that the block declares?
bool Expander::in_range(const Scope& scope, const Scope& inner, const GivenAttribute& given,
                        const Value& passed) {
  const auto argument =
      std::ranges::find(inner.block->arguments, given.name, &BlockDeclaration::Argument::name);
  if (argument == inner.block->arguments.end()) return true;
  std::vector<double> values;
  if (const std::optional<double> number = passed.number()) values = {*number};
  if (const Schedule* schedule = passed.schedule()) values = ends_of(*schedule);
  const auto outside =
      std::ranges::find_if_not(values, [&](double each) { return argument->range.contains(each); });
  if (outside == values.end()) return true;
  report(scope, given.value_place,
         fmt::format("'{}' is {}, not {}", given.name, to_string(argument->range), *outside))
      .op = inner.block->name;
  return false;
}

std::optional<Attributes> Expander::attributes(Scope& scope, const OpDef& op, const CallSite& site,
                                               Value& tie) {
  Attributes result;
  bool whole = true;
  for (const GivenAttribute& given : site.attributes) {
    const auto declared =
        std::find_if(op.attributes.begin(), op.attributes.end(),
                     [&given](const AttributeDeclaration& a) { return a.name == given.name && !a.internal; });
    const bool shaped = std::any_of(op.attributes.begin(), op.attributes.end(),
                                    [](const AttributeDeclaration& a) { return a.name == "shape"; });
    if (given.name == "tie" && op.traits.variable) {
      const std::optional<Value> name = tied(scope, given);
      if (name && name->parameter() == nullptr && !name->is_null()) {
        report(scope, given.value_place,
               fmt::format("`tie:` names a node whose weight is shared, not {}", described(*name)));
        whole = false;
      }
      if (name) tie = *name;
      whole = whole && name;
    } else if (given.name == "like" && shaped) {
      const std::optional<NodeId> node = referred(scope, given);
      if (node) result.set("shape", builder_.type(*node).shape);
      whole = whole && node;
    } else if (declared == op.attributes.end()) {
      std::vector<std::string> names;
      for (const AttributeDeclaration& known : op.attributes) {
        if (!known.internal) names.push_back(known.name);
      }
      if (shaped) names.emplace_back("like");
      Diagnostic& diagnostic =
          report(scope, given.place, fmt::format("{} has no attribute '{}'", op.name, given.name),
                 attribute_advice(given.name, op.name, names));
      diagnostic.op = op.name;
      whole = false;
    } else if (const std::optional<Value> written = value(scope, given)) {
      try {
        result.set(given.name, attribute_from(*written, *declared));
      } catch (const OpError& error) {
        report_attribute(scope, site, given, *declared, error);
        whole = false;
      }
    } else {
      whole = false;
    }
  }
  return whole ? std::optional(std::move(result)) : std::nullopt;
}

Instance Expander::call_op(Scope& scope, const OpDef& op, const CallSite& site) {
  Value tie;
  std::optional<Attributes> given = attributes(scope, op, site, tie);
  if (!given) return {};
  if (!claim(scope, written_place(scope), paths_, site.path, "node")) return {};
  try {
    set_origin(scope, site);
    if (op.traits.variable) return parameter(scope, site, *given, tie);
    if (!claim(scope, written_place(scope), names_, site.display, "node")) return {};
    Instance instance;
    instance.params = site.params;
    instance.node = builder_.add(op.name, site.inputs, std::move(*given), {site.display, {}, {}});
    return instance;
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

/// A wrong attribute. In a list the wrong item is shown; inside a standard block, what was passed for it.
void Expander::report_attribute(Scope& scope, const CallSite& site, const GivenAttribute& given,
                                const AttributeDeclaration& declared, const OpError& error) {
  const YamlNode* piece = given.expression == nullptr ? given.yaml : nullptr;
  if (piece != nullptr && piece->is_sequence()) {
    for (const YamlNode& item : piece->items) {
      const std::optional<Value> one = value(scope, item);
      try {
        attribute_from({ValueList{one.value_or(Value{})}}, declared);
      } catch (const OpError&) {
        piece = &item;
        break;
      }
    }
  }
  const std::optional<Place> passed = piece != nullptr ? place_of_argument(scope, *piece) : std::nullopt;
  if (scope.standard && passed) {
    const std::string name = piece->text.substr(1);
    const Value& argument = scope.arguments.at(name).value;
    const bool size = declared.kind == AttributeKind::shape;
    report(scope, *passed,
           size ? fmt::format("'{}' is an integer of at least 1, not {}", name, described(argument))
                : error.message(),
           error.fix())
        .op = scope.block->name;
    return;
  }
  report(scope, piece != nullptr ? piece->place : given.value_place, error.message(), error.fix()).op =
      site.op;
}

/// Where the argument was written that `$name` in a standard block stands for; nothing for its default.
std::optional<Place> Expander::place_of_argument(const Scope& scope, const YamlNode& node) const {
  if (scope.block == nullptr || !node.is_scalar() || !node.text.starts_with('$')) return std::nullopt;
  const auto found = scope.arguments.find(node.text.substr(1));
  if (found == scope.arguments.end() || found->second.place.source == scope.block->place.source)
    return std::nullopt;
  return found->second.place;
}

/// A variable is made once for each name; a second node of the same name is the same variable.
Instance Expander::parameter(Scope& scope, const CallSite& site, const Attributes& attributes,
                             const Value& tie) {
  Instance instance;
  instance.params = site.params;
  const AttributeValue* given_shape = attributes.find("shape");
  if (given_shape == nullptr)
    throw OpError("a parameter needs a shape", "Write e.g. shape: [784, 128].", "shape");
  const Shape& shape = std::get<Shape>(*given_shape);
  if (tie.parameter() != nullptr) {
    const std::string& name = tie.parameter()->name;
    const NodeId transposed = builder_.add("transpose", {parameters_.at(name)}, {}, {site.display, {}, {}});
    const Shape& found = builder_.type(transposed).shape;
    if (found != shape) {
      throw OpError(fmt::format("the tied weight '{}' is {} when transposed, but {} is needed", name,
                                to_string(found), to_string(shape)),
                    "Tie to the layer whose input and output sizes are these the other way round.", "tie");
    }
    instance.node = transposed;
    if (!claim(scope, written_place(scope), names_, site.display, "node")) return {};
    return instance;
  }
  if (site.in_formula) {
    report(scope, site.place, "a call inside a formula cannot have parameters: they would have no name",
           "Give it a name of its own under `nodes:`.");
    return {};
  }
  const auto existing = parameters_.find(site.params);
  if (existing != parameters_.end()) {
    if (!shares(scope, site, existing->second, attributes)) return {};
    instance.node = existing->second;
    own(site.path, *instance.node);
    return instance;
  }
  for (const Dim& dim : shape) {
    if (dim.is_number(-1)) throw OpError("the size of a parameter's axis is at least 1, not -1", {}, "shape");
  }
  element_polynomial(shape);  // throws when the size overflows
  if (!claim(scope, written_place(scope), names_, site.params, "parameter")) return {};
  instance.node = builder_.add("param", {}, attributes, {site.params, {}, {}});
  parameters_[site.params] = *instance.node;
  parameter_places_[site.params] = written_place(scope);
  own(site.path, *instance.node);
  own(site.params, *instance.node);
  return instance;
}

/// Does a further declaration of a parameter say what the first one said?
bool Expander::shares(Scope& scope, const CallSite& site, NodeId first, const Attributes& attributes) {
  const Node& made = builder_.node(first);
  const Place place = parameter_places_.at(site.params);
  for (const AttributeDeclaration& declared : made.op->attributes) {
    const AttributeValue* written = attributes.find(declared.name);
    const AttributeValue& here = written != nullptr ? *written : *declared.fallback;
    const AttributeValue& there = *made.attributes.find(declared.name);
    if (here == there) continue;
    const std::string key = declared.name == "shape" ? "" : declared.name + ": ";
    const OpError error(
        fmt::format("parameter '{}' is {}{} here, but {}{} where it was first made, in line {}", site.params,
                    key, to_string(here), key, to_string(there), diagnostics_.sources().location(place).line),
        fmt::format("Shared parameters need equal {}.",
                    declared.name == "shape" ? "shapes" : "`" + declared.name + ":`"),
        declared.name);
    report(scope, site, error)
        .notes.push_back(
            {diagnostics_.sources().location(place), fmt::format("'{}' was first made here", site.params)});
    return false;
  }
  return true;
}

/// Takes a name or path for what is being made; reports whoever has it already.
bool Expander::claim(Scope& scope, const Place& place, Claims& claims, const std::string& name,
                     std::string_view what) {
  if (name.empty()) return true;
  const auto [taken, is_new] = claims.emplace(name, Claim{what, place});
  if (is_new) return true;
  const std::string_view had = taken->second.what;
  const std::string message =
      &claims == &paths_
          ? fmt::format("'{}' is the path of another node already", name)
          : fmt::format("'{}' is the name of {} {} already, so no {}{} can have it", name,
                        had.starts_with('i') ? "an" : "a", had, had == what ? "other " : "", what);
  report(scope, place, message, "Give one of the two another name.")
      .notes.push_back({diagnostics_.sources().location(taken->second.place),
                        fmt::format("'{}' was first made here", name)});
  return false;
}

/// `train: [enc]` means all variables at or below enc.
void Expander::own(const std::string& path, NodeId variable) {
  for (std::size_t end = path.find('.');; end = path.find('.', end + 1)) {
    std::vector<NodeId>& owned = owners_[path.substr(0, end)];
    if (owned.empty() || owned.back() != variable) owned.push_back(variable);
    if (end == std::string::npos) return;
  }
}

}  // namespace graphrun
