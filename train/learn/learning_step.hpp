/// \file
/// What learning does with a batch, read off a model: for each phase, which loss is differentiated, which
/// parameters are learnt, by which optimizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/op.hpp"
#include "language/recipe/definition.hpp"
#include "train/learn/figures.hpp"

namespace graphrun::train {

/// What one optimizer does with a batch.
struct LearningStep {
  Graph forward;                        ///< mode-free, and no more than is needed for its outputs
  FigureNames figures;                  ///< its outputs: "loss" first, then the terms that are learnt
  std::vector<std::string> parameters;  ///< that are learnt, by their names as variables
  std::vector<std::string> averages;    ///< running averages that move, the same way
  OptimizerRecipe optimizer;
  std::string slots;       ///< the first part of its slots' names: "adam", or "adam-2" when steps alternate
  std::int64_t every = 1;  ///< done on every so many-th batch
  SourceLocation where;
};

/// All that is done with a batch in a phase, or in one layer of a greedy phase.
struct BatchSteps {
  std::size_t phase = 0;  ///< index into train.phases
  std::size_t layer = 0;  ///< of a greedy phase, outermost 0
  std::string name;       ///< "fine", "layers, layer 1 of 4"; empty for a model without phases
  std::vector<LearningStep> steps;
};

/// What all phases do with a batch, in order. Error{model} when the model has no loss or no `train:`, or when
/// a step depends on none of its parameters.
std::vector<BatchSteps> steps_of_phases(const ModelDefinition& model, const OpRegistry& registry);

/// What `train:` says. Error{model} when the model has none.
const TrainRecipe& train_of(const ModelDefinition& model);

/// A step on the model's own graph.
LearningStep learning_step(const ModelDefinition& model, const OpRegistry& registry, const StepRecipe& step);

/// The names of those of the variables that learning changes, or that it does not; all of the graph's when
/// none are given.
std::vector<std::string> names_of_variables(const Graph& graph, const std::vector<NodeId>& variables,
                                            bool learnt);

/// A builder that holds the nodes of a graph under the same ids, without its outputs.
Builder copy_of(const Graph& graph, const OpRegistry& registry);

/// Is it a variable that learning may change?
bool is_parameter(const Node& node);

}  // namespace graphrun::train
