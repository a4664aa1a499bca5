/// \file
/// The gradients of a whole model against finite differences: `graphrun check --grad`.
#pragma once

#include <string>
#include <vector>

#include "autograd/gradcheck.hpp"
#include "graph/op.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// The gradients of one step: of a phase, of a layer in it, of one of those that alternate.
struct StepGradients {
  std::string name;  ///< "fine", "layers, layer 1 of 4", "step 2"; empty when it is all there is
  std::vector<GradientCheck> gradients;
};

/// Checks d(loss)/d(parameter) for every parameter that a step learns on the f64 reference, in train mode, at
/// the model's own initial weights and a few rows of random inputs: pixels uniform in [0, 1), labels 0 or 1.
/// Steps that a phase has in common with an earlier one are not repeated. Throws Error{model} when the model
/// has no loss.
std::vector<StepGradients> check_gradients_by_step(const ModelDefinition& model, const OpRegistry& registry);

/// The same, of all steps in one list.
std::vector<GradientCheck> check_model_gradients(const ModelDefinition& model, const OpRegistry& registry);

/// The initial weights of a model in f64: the ones a Session would begin with.
HostVariables initial_variables(const ModelDefinition& model);

}  // namespace graphrun::train
