/// \file
/// `data:` as the training layer wants it. Internal to language.
#pragma once

#include <optional>

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Makes the paths of data files absolute: they are relative to the folder of the file that they stand in,
/// and those of --set to the current one. So a resolved model finds its data wherever it lies.
void resolve_data_paths(YamlNode& document, const Sources& sources);

/// Nothing when the section makes no sense at all; what is wrong has been reported.
std::optional<DataRecipe> read_data(const YamlNode& section, Expansion& expansion);

}  // namespace graphrun
