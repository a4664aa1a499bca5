/// \file
/// Which models must know how many steps an epoch has before the first one.
#pragma once

#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// Does a learning rate, a weight or a level of noise begin at 0 and rise over epochs? Other schedules have a
/// first value to stay at as long as nobody says how many steps an epoch has.
bool warms_up_over_epochs(const ModelDefinition& model);

}  // namespace graphrun::train
