/// \file
/// Which models must know how many steps an epoch has.
#pragma once

#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// Has a learning rate, a weight or a level of noise a schedule that counts epochs?
bool counts_epochs(const ModelDefinition& model);

}  // namespace graphrun::train
