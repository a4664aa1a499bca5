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

/// The node of an output by its role, or of any node by its name.
NodeId node_for(const ModelDefinition& model, const std::string& name) {
  if (model.graph.has_output(name)) return model.graph.output(name);
  if (const std::optional<NodeId> id = model.graph.find(name)) return *id;
  std::vector<std::string> known = model.roles;
  for (const Node& node : model.graph.nodes()) known.push_back(node.name);
  throw Error(ErrorCode::usage, fmt::format("the model has no output or node '{}'. {}", name,
                                            suggestion(name, model.roles.empty() ? known : model.roles)));
}

}  // namespace

std::string node_name(const ModelDefinition& model, const std::string& name) {
  return model.graph.node(node_for(model, name)).name;
}

Graph loss_graph(const LearningStep& step, const OpRegistry& registry, const PassOptions& options) {
  return prepare(step.forward, registry, Mode::train, options);
}

Program training_program(const LearningStep& step, const OpRegistry& registry, const PassOptions& options) {
  const Graph learnt = with_running_values(step.forward, registry);
  const Graph forward = prepare(learnt, registry, Mode::train, options);
  const std::vector<NodeId> parameters = parameters_of(forward, step.parameters);
  if (parameters.empty())
    throw Error(ErrorCode::model,
                "the loss depends on none of the parameters that are learnt, so there is nothing to learn",
                step.where);
  Builder builder = copy_of(forward, registry);
  for (const NamedOutput& output : forward.outputs())
    if (!is_running_value(output.name)) builder.output(output.name, output.node);
  const NodeId loss = forward.output("loss");
  const std::vector<NodeId> gradients = append_gradients(builder, loss, parameters);
  append_updates(builder, loss, parameters, gradients, step.optimizer, step.slots);
  append_running_averages(builder, learnt, forward);
  return finish(std::move(builder).finish(), registry, options);
}

Program training_program(const ModelDefinition& model, const OpRegistry& registry,
                         const PassOptions& options) {
  return training_program(recipes_of(model, registry).front().steps.front(), registry, options);
}

Program evaluation_program(const ModelDefinition& model, const OpRegistry& registry,
                           const PassOptions& options) {
  if (model.loss.empty() && model.metrics.empty())
    throw Error(ErrorCode::model,
                "the model has neither `loss:` nor `metrics:`, so there is nothing to measure");
  std::vector<NamedOutput> outputs;
  for (const std::string& name : figure_names(model, {}, true).outputs)
    outputs.push_back({name, model.graph.output(name)});
  return finish(prepare(with_outputs(model.graph, registry, outputs), registry, Mode::evaluate, options),
                registry, options);
}

Program role_program(const ModelDefinition& model, const OpRegistry& registry,
                     const std::vector<std::string>& outputs, const std::vector<std::string>& fed,
                     const PassOptions& options) {
  Builder builder = copy_of(model.graph, registry);
  for (const std::string& name : outputs) builder.output(name, node_for(model, name));
  std::vector<std::string> cuts;
  for (const std::string& name : fed) cuts.push_back(node_name(model, name));
  Graph part = remove_dead_nodes(cut(std::move(builder).finish(), registry, cuts), registry);
  return finish(prepare(std::move(part), registry, Mode::evaluate, options), registry, options);
}

}  // namespace graphrun::train
