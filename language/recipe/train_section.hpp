/// \file
/// `train:` as the training layer wants it. Internal to graph/yaml.
#pragma once

#include <optional>

#include "language/expand/expander.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// `model` has the terms that could be made. Nothing when the section makes no sense at all; what is wrong
/// has been reported.
std::optional<TrainRecipe> read_train(const YamlNode& section, const ModelDeclaration& declared,
                                      const ModelDefinition& model, Expander& expander);

}  // namespace graphrun
