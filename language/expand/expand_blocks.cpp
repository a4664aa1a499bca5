#include "language/expand/expand_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "graph/op.hpp"
#include "graph/range_fault.hpp"
#include "language/expand/expand_nodes.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/other_names.hpp"
#include "language/expand/references.hpp"

namespace graphrun {
namespace {

constexpr std::size_t nodes_of_call =
    2;  // with its name and place it takes twice what a gradient's node does
constexpr std::size_t steps_of_argument = 10;   // its name and value are looked up and kept
constexpr std::size_t block_frames = 5 * 1024;  // of the stack, for a block in a block

std::vector<std::string> callable_names(const Expansion& model) {
  std::vector<std::string> names;
  for (const auto& [name, block] : model.blocks) names.push_back(name);
  for (const OpDef& op : model.builder.registry().ops())
    if (!op.internal && !op.traits.effect && !op.traits.input) names.push_back(op.name);
  return names;
}

bool check_arguments(const Scope& scope, const BlockDeclaration& block, const CallSite& site) {
  bool whole = true;
  std::set<std::string_view> written;
  for (const GivenAttribute& given : site.attributes) written.insert(given.name);
  std::vector<std::string> names;
  for (const BlockDeclaration::Argument& argument : block.arguments) names.push_back(argument.name);
  std::vector<std::string> inputs;
  for (const BlockDeclaration::Name& input : block.inputs) inputs.push_back(input.text);
  std::vector<std::string> meant;  // by names that are misspelt: one mistake is one error
  for (const GivenAttribute& given : site.attributes) {
    if (block.find_argument(given.name) != nullptr) continue;
    const std::string_view elsewhere = attribute_elsewhere(given.name);
    meant.push_back(elsewhere.empty() ? nearest_name(given.name, names) : std::string(elsewhere));
    report(scope, given.place, fmt::format("block '{}' has no argument '{}'", block.name, given.name),
           attribute_advice(given.name, block.name, names, inputs))
        .op = block.name;
    whole = false;
  }
  for (const BlockDeclaration::Argument& argument : block.arguments) {
    if (!argument.required || written.contains(argument.name)) continue;
    if (std::ranges::find(meant, argument.name) != meant.end()) continue;
    report(scope, site.place, fmt::format("block '{}' needs the argument '{}'", block.name, argument.name),
           fmt::format("Write `{}: …`.", argument.name))
        .op = block.name;
    whole = false;
  }
  return whole;
}

/// Is the number, or are the values that the schedule takes, in the range that the block declares?
bool in_range(const Scope& scope, const BlockDeclaration& block, const GivenAttribute& given,
              const Value& passed) {
  const BlockDeclaration::Argument* argument = block.find_argument(given.name);
  if (argument == nullptr) return true;
  std::vector<double> values;
  if (const std::optional<double> number = passed.number()) values = {*number};
  if (const Schedule* schedule = passed.schedule()) values = ends_of(*schedule);
  for (const double each : values) {
    const std::string fault = range_fault(argument->range, each);
    if (fault.empty()) continue;
    report(scope, given.value_place, fmt::format("'{}' is {}", given.name, fault)).op = block.name;
    return false;
  }
  return true;
}

bool bind_arguments(Scope& scope, Scope& inner, const CallSite& site) {
  bool whole = true;
  for (const GivenAttribute& given : site.attributes) {
    const std::optional<Value> passed = given.name == "tie"
                                            ? tied(scope, given.value_place, *given.yaml, given.expression)
                                            : value_of(scope, given);
    if (passed) inner.arguments[given.name] = {*passed, given.value_place};
    whole = whole && passed && in_range(scope, *inner.block, given, *passed);
  }
  return whole;
}

bool calls_itself(const Scope& scope, const BlockDeclaration& block, const CallSite& site) {
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

bool takes_inputs(const Scope& scope, const BlockDeclaration& block, const CallSite& site) {
  const std::size_t count = block.inputs.size();
  if (site.inputs.size() == count) return true;
  std::string names;
  for (const BlockDeclaration::Name& input : block.inputs) names += (names.empty() ? "" : ", ") + input.text;
  report(scope, site.inputs_place,
         fmt::format("{} takes {} input{}{}, not {}", block.name, count, count == 1 ? "" : "s",
                     names.empty() ? "" : " (" + names + ")", site.inputs.size()))
      .op = block.name;
  return false;
}

Scope scope_of(const Scope& scope, const BlockDeclaration& block, const CallSite& site) {
  Scope inner{.model = scope.model,
              .caller = &scope,
              .block = &block,
              .standard = block.standard || scope.standard,
              .in_formula = site.in_formula,
              .path = site.path,
              .params = site.params,
              .display = site.display,
              .shown_node = scope.standard ? scope.shown_node : scope.node,
              .call_place = scope.standard ? scope.call_place : site.inputs_place};
  const SourceLocation called = scope.model.diagnostics.sources().location(shown(scope, site.place));
  const std::string note = fmt::format("in block '{}', called here", block.name);
  inner.notes = std::make_shared<const CallNotes>(
      CallNotes{{called, note}, scope.notes, note.size() + (scope.notes ? scope.notes->bytes : 0)});
  for (std::size_t i = 0; i < block.inputs.size(); ++i)
    inner.instances[block.inputs[i].text].node = site.inputs[i];
  return inner;
}

/// What comes out of a block whose nodes are made.
Instance result_of(const Scope& inner) {
  Instance result{.params = inner.params};
  for (const BlockDeclaration::Name& output : inner.block->outputs) {
    const auto found = inner.instances.find(output.text);
    if (found == inner.instances.end()) {
      std::vector<std::string> names;
      for (const auto& [name, instance] : inner.instances) names.push_back(name);
      inner.model.diagnostics.error(
          output.place,
          fmt::format("block '{}' has no node '{}' to give out", inner.block->name, output.text),
          suggestion(output.text, names));
      return {};
    }
    if (!found->second.node) return {};
    if (inner.block->outputs.size() > 1) result.outputs[output.text] = *found->second.node;
    if (!result.node) result.node = found->second.node;
  }
  return result;
}

Instance call_block(Scope& scope, const BlockDeclaration& block, const CallSite& site) {
  if (block.broken || calls_itself(scope, block, site) || !takes_inputs(scope, block, site)) return {};
  if (!scope.model.budget().has_room(block_frames)) {
    report(scope, site.place, "blocks call blocks too deeply", "Call fewer blocks in each other.");
    return {};
  }
  const Budget::Level level(scope.model.budget(), block_frames);
  Scope inner = scope_of(scope, block, site);
  if (!bind_arguments(scope, inner, site)) return {};
  expand(inner, block.nodes);
  return result_of(inner);
}

}  // namespace

bool is_callable(Scope& scope, const CallSite& site) {
  if (const BlockDeclaration* block = scope.model.find_block(site.op))
    return block->broken || check_arguments(scope, *block, site);
  const OpDef* op = scope.model.builder.registry().find(site.op);
  if (op != nullptr && !op->internal && !op->traits.effect && !op->traits.input) return true;
  if (op != nullptr && op->traits.input) {
    report(scope, site.place, "an input is declared under `inputs:`",
           "Write it there: x: {shape: [batch, 784]}.");
    return false;
  }
  const std::vector<std::string> names = callable_names(scope.model);
  // `act: Linear` inside of `dense` is the op that is nearest.
  const bool near = scope.standard && !nearest_name(site.op, names).empty();
  const std::string elsewhere = near ? "" : known_elsewhere(NameOf::op, site.op);
  report(scope, site.place, fmt::format("there is no op or block '{}'", site.op),
         elsewhere.empty() ? suggestion(site.op, names, "`graphrun ops`") : elsewhere);
  return false;
}

Instance call(Scope& scope, CallSite site) {
  Budget& budget = scope.model.budget();
  try {
    budget.spend(Resource::nodes, nodes_of_call);
    budget.spend(Resource::names,
                 site.path.size() + site.params.size() + site.display.size() + site.op.size());
    const BlockDeclaration* block = scope.model.find_block(site.op);
    const std::size_t declared = block == nullptr ? 0 : block->arguments.size();
    budget.spend(Resource::steps, site.attributes.size() * steps_of_argument + declared);
  } catch (const OverBudget& over) {
    abandon(scope, site.place, over);
  }
  if (!is_callable(scope, site)) return {};
  site.in_formula = site.in_formula || scope.in_formula;
  const BlockDeclaration* block = scope.model.find_block(site.op);
  return block != nullptr ? call_block(scope, *block, site)
                          : call_op(scope, scope.model.builder.registry().get(site.op), site);
}

}  // namespace graphrun
