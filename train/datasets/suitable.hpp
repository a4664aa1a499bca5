/// \file
/// Do data suit a model? What shows before the first step, and would be a riddle after it.
#pragma once

#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"

namespace graphrun::train {

/// Labels are used as they are: to choose one of so many classes, or a row of a table. Error{data} at the
/// node that has none for some label of the data called `source`.
void require_labels_fit(const ModelDefinition& model, const Examples& examples, const std::string& source);

/// A sentence for each input that a binary cross entropy takes for probabilities and whose values are none.
std::vector<std::string> notes_on_ranges(const ModelDefinition& model, const Examples& examples);

}  // namespace graphrun::train
