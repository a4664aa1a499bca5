#include "train/learn/learning_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/passes/dead_nodes.hpp"
#include "graph/term.hpp"
#include "train/learn/greedy.hpp"

namespace graphrun::train {

namespace {

bool is_chosen(const std::vector<std::string>& chosen, const std::string& name) {
  return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
}

/// `enc` means enc itself and everything below it: enc.0.w, but not encoder.w.
bool is_at_or_below(const std::string& name, const std::string& path) {
  return name == path || (name.starts_with(path) && name[path.size()] == '.');
}

/// The weighted sum of the chosen terms; the file's own `loss` when all are.
NodeId loss_of(Builder& builder, const ModelDefinition& model, const StepSpec& step) {
  if (step.loss.empty()) return model.graph.output("loss");
  std::optional<Term> sum;
  for (std::size_t i = 0; i < model.loss.size(); ++i) {
    if (!is_chosen(step.loss, model.loss[i].name)) continue;
    const Term weighted = Term(builder, model.graph.output(model.loss[i].output)) *
                          Term(builder, model.graph.output(model.loss_weights[i]));
    sum = sum ? *sum + weighted : weighted;
  }
  if (!sum) throw Error(ErrorCode::model, "`loss: […]` chooses no term of the loss", step.where);
  return *sum;
}

std::vector<LearningStep> steps_on_model(const ModelDefinition& model, const OpRegistry& registry,
                                         const PhaseSpec& phase) {
  std::vector<LearningStep> steps;
  for (const StepSpec& spec : steps_of(phase)) {
    steps.push_back(learning_step(model, registry, spec));
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

std::vector<std::string> parameters_below(const ModelDefinition& model,
                                          const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const Node& node : model.graph.nodes()) {
    const auto covers = [&node](const std::string& path) { return is_at_or_below(node.name, path); };
    if (is_parameter(node) && (paths.empty() || std::any_of(paths.begin(), paths.end(), covers)))
      names.push_back(node.name);
  }
  return names;
}

LearningStep learning_step(const ModelDefinition& model, const OpRegistry& registry, const StepSpec& step) {
  if (model.loss.empty())
    throw Error(ErrorCode::model, "the model has no `loss:`, so there is nothing to learn", step.where);
  Builder builder = copy_of(model.graph, registry);
  builder.output("loss", loss_of(builder, model, step));
  for (const ModelTerm& term : model.loss)
    if (is_chosen(step.loss, term.name)) builder.output(term.output, model.graph.output(term.output));
  return {.forward = remove_dead_nodes(std::move(builder).finish(), registry),
          .figures = figure_names(model, step.loss, false),
          .parameters = parameters_below(model, step.train),
          .optimizer = step.optimizer,
          .slots = step.optimizer.op,
          .every = step.every,
          .where = step.where};
}

const TrainSpec& train_of(const ModelDefinition& model) {
  if (model.train) return *model.train;
  throw Error(ErrorCode::model,
              "the model has no `train:`, so there is nothing to learn; add for instance "
              "`train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 128, epochs: 10}`",
              {}, {});
}

std::vector<Recipe> recipes_of(const ModelDefinition& model, const OpRegistry& registry) {
  const std::vector<PhaseSpec>& phases = train_of(model).phases;
  std::vector<Recipe> recipes;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const PhaseSpec& phase = phases[i];
    if (!phase.greedy) {
      recipes.push_back({i, 0, phase.name, steps_on_model(model, registry, phase)});
      continue;
    }
    const std::size_t layers = phase.greedy->encoder.size();
    for (std::size_t layer = 0; layer < layers; ++layer)
      recipes.push_back({i, layer, layer_name(phase, layer), {greedy_step(model, registry, phase, layer)}});
  }
  return recipes;
}

}  // namespace graphrun::train
