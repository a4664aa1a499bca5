/// \file
/// One number of a table on its way into a model, and back into its own unit.
#pragma once

#include "language/recipe/table_recipe.hpp"

namespace graphrun::train {

/// sign(v)·log(1 + |v|): a logarithm that knows zero and what is below.
double signed_log(double value);

/// What the model is given for a number of the column.
double scaled(const FittedColumn& column, double value);

/// The number that the model would be given this for: scaled() undone.
double unscaled(const FittedColumn& column, double value);

}  // namespace graphrun::train
