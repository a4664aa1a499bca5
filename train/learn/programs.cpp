#include "train/learn/programs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/gradients.hpp"
#include "autograd/prepare.hpp"
#include "errors/nearest.hpp"
#include "graph/passes/cut.hpp"
#include "graph/passes/dead_nodes.hpp"
#include "graph/passes/pipeline.hpp"
#include "train/learn/figures.hpp"
#include "train/learn/optimizer.hpp"
#include "train/learn/running_averages.hpp"

namespace graphrun::train {

namespace {

/// What `outputs:` names for the commands.
constexpr std::string_view roles[] = {"code", "latent", "image", "prior", "noisy", "row", "score", "target"};

Graph with_outputs(const Graph& graph, const OpRegistry& registry, const std::vector<NamedOutput>& outputs) {
  Builder builder = copy_of(graph, registry);
  for (const NamedOutput& output : outputs) builder.output(output.name, output.node);
  return remove_dead_nodes(std::move(builder).finish(), registry);
}

std::vector<NodeId> parameters_of(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<NodeId> ids;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (is_parameter(node) && std::find(names.begin(), names.end(), node.name) != names.end())
      ids.push_back(id);
  }
  return ids;
}

Program finish(Graph graph, const OpRegistry& registry, const PassOptions& options) {
  auto executable = std::make_shared<const Graph>(make_executable(std::move(graph), registry, options));
  Program program{.graph = executable, .inputs = {}};
  for (const Node& node : executable->nodes())
    if (node.op->traits.input) program.inputs.push_back({node.name, node.type});
  return program;
}

/// What the outputs need, with the fed nodes cut off.
Program part_program(Graph graph, const OpRegistry& registry, const std::vector<std::string>& fed,
                     const PassOptions& options) {
  Graph part = remove_dead_nodes(cut(std::move(graph), registry, fed), registry);
  return finish(prepare(std::move(part), registry, Mode::evaluate, options), registry, options);
}

std::vector<NodeId> loss_gradients(Builder& builder, NodeId loss, const std::vector<NodeId>& parameters,
                                   Budget* budget, const SourceLocation& where) {
  try {
    return append_gradients(builder, loss, parameters, budget);
  } catch (const OverBudget& over) {
    throw ModelError({Diagnostic{where, {}, {}, over.message(), {}, over.fix(), {}}});
  }
}

}  // namespace

NodeId asked_node(const ModelDefinition& model, std::string_view name) {
  if (const std::optional<NodeId> role = model.role(name)) return *role;
  if (const std::optional<NodeId> id = model.graph.find(name)) return *id;
  if (name == "loss" && model.objective) return *model.objective;
  std::vector<std::string> known;
  for (const NamedOutput& role : model.roles) known.push_back(role.name);
  if (known.empty())
    for (const Node& node : model.graph.nodes()) known.push_back(node.name);
  const bool is_role = std::ranges::find(roles, name) != std::end(roles);
  throw Error(ErrorCode::usage,
              fmt::format("the model has no output or node '{}'{}. {}", name,
                          is_role ? fmt::format(": `outputs: {{{}: NODE}}` says which node it is", name) : "",
                          suggestion(name, known)));
}

NodeId given_node(const ModelDefinition& model, std::string_view name) {
  for (const ModelInput& input : model.inputs)
    if (input.name == name) return *model.graph.find(name);
  return asked_node(model, name);
}

Graph loss_graph(const LearningStep& step, const OpRegistry& registry, const PassOptions& options) {
  return prepare(step.forward, registry, Mode::train, options);
}

Program training_program(const LearningStep& step, const OpRegistry& registry, const PassOptions& options) {
  const Graph learnt = with_running_values(step.forward, registry, step.averages);
  Graph forward = prepare(learnt, registry, Mode::train, options);
  const std::vector<NodeId> parameters = parameters_of(forward, step.parameters);
  if (parameters.empty())
    throw Error(ErrorCode::model,
                "the loss depends on none of the parameters that are learnt, so there is nothing to learn",
                step.where);
  const std::vector<NamedOutput> outputs(forward.outputs().begin(), forward.outputs().end());
  const NodeId loss = forward.output("loss");
  Builder builder(registry, std::move(forward));
  builder.clear_outputs();
  for (const NamedOutput& output : outputs)
    if (!is_running_value(output.name)) builder.output(output.name, output.node);
  const std::vector<NodeId> gradients =
      loss_gradients(builder, loss, parameters, options.budget.get(), step.where);
  append_updates(builder, loss, parameters, gradients, step.optimizer, step.slots);
  append_running_averages(builder, learnt, outputs, step.averages);
  return finish(std::move(builder).finish(), registry, options);
}

Program training_program(const ModelDefinition& model, const OpRegistry& registry,
                         const PassOptions& options) {
  return training_program(steps_of_phases(model, registry).front().steps.front(), registry, options);
}

Program evaluation_program(const ModelDefinition& model, const OpRegistry& registry,
                           const PassOptions& options) {
  if (model.loss.empty() && model.metrics.empty())
    throw Error(ErrorCode::model,
                "the model has neither `loss:` nor `metrics:`, so there is nothing to measure", model.where);
  const FigureNames figures = figure_names(model, {}, true);
  std::vector<NamedOutput> outputs;
  for (std::size_t i = 0; i < figures.nodes.size(); ++i)
    outputs.push_back({figures.outputs[i], figures.nodes[i]});
  return finish(prepare(with_outputs(model.graph, registry, outputs), registry, Mode::evaluate, options),
                registry, options);
}

Program role_program(const ModelDefinition& model, const OpRegistry& registry,
                     const std::vector<NamedOutput>& outputs, const std::vector<std::string>& fed,
                     const PassOptions& options) {
  Builder builder = copy_of(model.graph, registry);
  for (const NamedOutput& output : outputs) builder.output(output.name, output.node);
  return part_program(std::move(builder).finish(), registry, fed, options);
}

Program gradient_program(const ModelDefinition& model, const OpRegistry& registry, NodeId of,
                         const std::vector<NodeId>& wanted, const std::vector<std::string>& fed,
                         const PassOptions& options) {
  Builder builder = copy_of(model.graph, registry);
  for (const NodeId id : wanted) builder.output(model.graph.node(id).name, builder.add("grad", {of, id}));
  return part_program(std::move(builder).finish(), registry, fed, options);
}

}  // namespace graphrun::train
