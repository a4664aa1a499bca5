/// \file
/// Loss terms and metrics: each becomes a scalar, the mean over the batch. Internal to graph/yaml.
#pragma once

#include "language/expand/expander.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Fills the loss and the metrics of the model, and its objective.
void build_terms(const ModelDeclaration& declared, Expander& expander, ModelDefinition& model);

}  // namespace graphrun
