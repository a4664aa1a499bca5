/// \file
/// Loss terms and metrics: each becomes a scalar, the mean over the batch. Internal to language.
#pragma once

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Fills the loss and the metrics of the model, and its objective.
void build_terms(Expansion& expansion, ModelDefinition& model);

}  // namespace graphrun
