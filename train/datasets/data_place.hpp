/// \file
/// What is wrong with a file leads back to the line of the model that names it.
#pragma once

#include <optional>
#include <string>

#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// Where the model names this file of its data; the place of `data:` as a whole where the model is no file
/// itself, or takes a data set by name. Nothing for a file that it does not name, as one after --set.
std::optional<SourceLocation> place_of_data(const ModelDefinition& model, const std::string& file);

/// Rethrows the Error at hand; what is wrong with a file of the model's data, told at that place.
[[noreturn]] void rethrow_at_place(const ModelDefinition& model);

}  // namespace graphrun::train
