/// \file
/// `optimizer: {op: adam, lr: 1.0e-3}`. Internal to graph/yaml.
#pragma once

#include "language/expand/expander.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Reports what is wrong, and gives what is left.
OptimizerRecipe read_optimizer(const YamlNode& section, Expander& expander);

}  // namespace graphrun
