#include "train/programs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/gradients.hpp"
#include "autograd/prepare.hpp"
#include "graph/passes/cut.hpp"
#include "graph/passes/dead_nodes.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "graph/yaml/nearest.hpp"
#include "train/figures.hpp"
#include "train/optimizer.hpp"

namespace graphrun::train {

namespace {

/// A builder that holds the nodes of a graph under the same ids, without its outputs.
Builder copy_of(const Graph& graph, const OpRegistry& registry) {
  Builder builder(registry);
  for (const Node& node : graph.nodes()) builder.add_like(node, node.inputs, node.controls);
  return builder;
}

Graph with_outputs(const Graph& graph, const OpRegistry& registry, const std::vector<NamedOutput>& outputs) {
  Builder builder = copy_of(graph, registry);
  for (const NamedOutput& output : outputs) builder.output(output.name, output.node);
  return remove_dead_nodes(std::move(builder).finish(), registry);
}

bool is_chosen(const std::vector<std::string>& chosen, const std::string& name) {
  return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
}

/// `enc` means enc itself and everything below it: enc.0.w, but not encoder.w.
bool is_at_or_below(const std::string& name, const std::string& path) {
  return name == path || (name.starts_with(path) && name[path.size()] == '.');
}

void require_loss(const ModelDefinition& model) {
  if (!model.train)
    throw Error(ErrorCode::model,
                "the model has no `train:`, so there is nothing to learn; add for instance "
                "`train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 128, epochs: 10}`",
                {}, {});
  if (model.loss.empty())
    throw Error(ErrorCode::model, "the model has no `loss:`, so there is nothing to learn",
                model.train->where);
}

/// The weighted sum of the chosen terms; the file's own `loss` when all are.
NodeId loss_of(Builder& builder, const ModelDefinition& model) {
  const std::vector<std::string>& chosen = model.train->loss;
  if (chosen.empty()) return model.graph.output("loss");
  std::optional<Term> sum;
  for (std::size_t i = 0; i < model.loss.size(); ++i) {
    if (!is_chosen(chosen, model.loss[i].name)) continue;
    const Term weighted = Term(builder, model.graph.output(model.loss[i].output)) *
                          Term(builder, model.graph.output(model.loss_weights[i]));
    sum = sum ? *sum + weighted : weighted;
  }
  if (!sum)
    throw Error(ErrorCode::model, "`train: {loss: …}` chooses no term of the loss", model.train->where);
  return *sum;
}

/// The forward graph with the outputs "loss" and the learnt terms, and nothing that they do not need.
Graph learnt_part(const ModelDefinition& model, const OpRegistry& registry) {
  Builder builder = copy_of(model.graph, registry);
  builder.output("loss", loss_of(builder, model));
  for (const ModelTerm& term : model.loss)
    if (is_chosen(model.train->loss, term.name)) builder.output(term.output, model.graph.output(term.output));
  return remove_dead_nodes(std::move(builder).finish(), registry);
}

bool is_parameter(const Node& node) {
  return node.op->traits.variable && node.attributes.flag("trainable");
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

std::vector<std::string> trained_parameters(const ModelDefinition& model) {
  std::vector<std::string> names;
  for (const Node& node : model.graph.nodes())
    if (is_parameter(node)) names.push_back(node.name);
  if (!model.train || model.train->train.empty()) return names;
  std::vector<std::string> chosen;
  for (const std::string& path : model.train->train) {
    const std::size_t before = chosen.size();
    std::copy_if(names.begin(), names.end(), std::back_inserter(chosen),
                 [&](const std::string& name) { return is_at_or_below(name, path); });
    if (chosen.size() == before)
      throw Error(ErrorCode::model,
                  fmt::format("`train: [{}]` names no parameter, and no node with parameters below it", path),
                  model.train->where);
  }
  return chosen;
}

Graph loss_graph(const ModelDefinition& model, const OpRegistry& registry, const PassOptions& options) {
  require_loss(model);
  return prepare(learnt_part(model, registry), registry, Mode::train, options);
}

Program training_program(const ModelDefinition& model, const OpRegistry& registry,
                         const PassOptions& options) {
  const Graph forward = loss_graph(model, registry, options);
  const std::vector<NodeId> parameters = parameters_of(forward, trained_parameters(model));
  if (parameters.empty())
    throw Error(ErrorCode::model, "the loss depends on no parameter, so there is nothing to learn",
                model.train->where);
  Builder builder = copy_of(forward, registry);
  for (const NamedOutput& output : forward.outputs()) builder.output(output.name, output.node);
  const NodeId loss = forward.output("loss");
  const std::vector<NodeId> gradients = append_gradients(builder, loss, parameters);
  append_updates(builder, loss, parameters, gradients, model.train->optimizer);
  return finish(std::move(builder).finish(), registry, options);
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
  const Graph part = cut(std::move(builder).finish(), registry, cuts);
  return finish(prepare(remove_dead_nodes(part, registry), registry, Mode::evaluate, options), registry,
                options);
}

}  // namespace graphrun::train
