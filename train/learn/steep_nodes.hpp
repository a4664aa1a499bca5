/// \file
/// Why a gradient may be no number where the loss is one: an op whose slope has no bound.
#pragma once

#include <string>

#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// "; the slope of 'std' (sqrt, model.yaml:9:3) is infinite at 0: …" for the nodes of the model between a
/// parameter and the loss of which that is true; empty when there are none.
std::string steep_nodes_between(const ModelDefinition& model, const std::string& parameter);

}  // namespace graphrun::train
