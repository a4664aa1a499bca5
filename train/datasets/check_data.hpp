/// \file
/// What can be said of a model's data before anything is trained.
#pragma once

#include <vector>

#include "graphrun/error.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// A data set that there is not, or that is not here; files that are not there; inputs of another size than
/// the examples; labels beyond the classes that the model has. Data sets by name are not read: their sizes
/// are known. Of files, those of at most a few megabytes are.
std::vector<Error> data_faults(const ModelDefinition& model);

}  // namespace graphrun::train
