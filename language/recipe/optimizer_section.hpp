/// \file
/// `optimizer: {op: adam, lr: 1.0e-3}`. Internal to language.
#pragma once

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Reports what is wrong, and gives what is left.
OptimizerRecipe read_optimizer(const YamlNode& section, Expansion& expansion);

}  // namespace graphrun
