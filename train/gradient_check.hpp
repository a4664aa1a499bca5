/// \file
/// The gradients of a whole model against finite differences: `graphrun check --grad`.
#pragma once

#include <vector>

#include "autograd/gradcheck.hpp"
#include "graph/model.hpp"
#include "graph/op.hpp"

namespace graphrun::train {

/// Checks d(loss)/d(parameter) for every trained parameter on the f64 reference, in train mode, at the
/// model's own initial weights and a few rows of random inputs: pixels uniform in [0, 1), labels 0 or 1.
/// Throws Error{model} when the model has no loss.
std::vector<GradientCheck> check_model_gradients(const ModelDefinition& model, const OpRegistry& registry);

/// The initial weights of a model in f64: the ones a Session would begin with.
HostVariables initial_variables(const ModelDefinition& model);

}  // namespace graphrun::train
