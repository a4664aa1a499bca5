/// \file
/// `train:` as the training layer wants it. Internal to language.
#pragma once

#include <optional>

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// `model` has the terms that could be made. Nothing when the section makes no sense at all; what is wrong
/// has been reported.
std::optional<TrainRecipe> read_train(const YamlNode& section, const ModelDefinition& model,
                                      Expansion& expansion);

}  // namespace graphrun
