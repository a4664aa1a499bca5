#include "train/learn/learning_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/passes/dead_nodes.hpp"
#include "graph/term.hpp"
#include "train/learn/greedy.hpp"

namespace graphrun::train {

namespace {

/// The weighted sum of the chosen terms; the model's own when all are.
NodeId loss_of(Builder& builder, const ModelDefinition& model, const StepRecipe& step) {
  if (step.loss.empty()) return *model.objective;
  std::optional<Term> sum;
  for (const std::size_t i : step.loss) {
    const LossTerm& term = model.loss[i];
    const Term weighted = Term(builder, term.node) * Term(builder, term.weight);
    sum = sum ? *sum + weighted : weighted;
  }
  return *sum;
}

std::vector<LearningStep> steps_on_model(const ModelDefinition& model, const OpRegistry& registry,
                                         const PhaseRecipe& phase) {
  std::vector<LearningStep> steps;
  for (const StepRecipe& step : steps_of(phase)) {
    steps.push_back(learning_step(model, registry, step));
    // Steps that alternate have an optimizer each, even when they learn the same parameters.
    if (!phase.alternate.empty()) steps.back().slots += fmt::format("-{}", steps.size());
  }
  return steps;
}

}  // namespace

Builder copy_of(const Graph& graph, const OpRegistry& registry) {
  Builder builder(registry, graph);
  builder.clear_outputs();
  return builder;
}

bool is_parameter(const Node& node) {
  return node.op->traits.variable && node.attributes.flag("trainable");
}

std::vector<std::string> names_of_variables(const Graph& graph, const std::vector<NodeId>& variables,
                                            bool learnt) {
  std::vector<std::string> names;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!node.op->traits.variable || is_parameter(node) != learnt) continue;
    if (variables.empty() || std::find(variables.begin(), variables.end(), id) != variables.end())
      names.push_back(node.name);
  }
  return names;
}

LearningStep learning_step(const ModelDefinition& model, const OpRegistry& registry, const StepRecipe& step) {
  if (model.loss.empty())
    throw Error(ErrorCode::model, "the model has no `loss:`, so there is nothing to learn", step.where);
  Builder builder = copy_of(model.graph, registry);
  FigureNames figures = figure_names(model, step.loss, false);
  figures.nodes.front() = loss_of(builder, model, step);
  for (std::size_t i = 0; i < figures.nodes.size(); ++i) builder.output(figures.outputs[i], figures.nodes[i]);
  return {.forward = remove_dead_nodes(std::move(builder).finish(), registry),
          .figures = std::move(figures),
          .parameters = names_of_variables(model.graph, step.train, true),
          .averages = names_of_variables(model.graph, step.train, false),
          .optimizer = step.optimizer,
          .slots = step.optimizer.op,
          .every = step.every,
          .where = step.where};
}

const TrainRecipe& train_of(const ModelDefinition& model) {
  if (model.train) return *model.train;
  throw Error(ErrorCode::model,
              "the model has no `train:`, so there is nothing to learn; add for instance "
              "`train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 128, epochs: 10}`",
              model.where);
}

std::vector<BatchSteps> steps_of_phases(const ModelDefinition& model, const OpRegistry& registry) {
  const std::vector<PhaseRecipe>& phases = train_of(model).phases;
  std::vector<BatchSteps> phase_steps;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const PhaseRecipe& phase = phases[i];
    if (!phase.greedy) {
      phase_steps.push_back({i, 0, phase.name, steps_on_model(model, registry, phase)});
      continue;
    }
    const std::size_t layers = phase.greedy->encoder.size();
    for (std::size_t layer = 0; layer < layers; ++layer)
      phase_steps.push_back(
          {i, layer, layer_name(phase, layer), {greedy_step(model, registry, phase, layer)}});
  }
  return phase_steps;
}

}  // namespace graphrun::train
