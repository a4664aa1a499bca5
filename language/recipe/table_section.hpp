/// \file
/// The part of `data:` that is about tables: `columns:`, `missing:`, `split:`, and what was fitted.
#pragma once

#include <vector>

#include "language/expand/scope.hpp"
#include "language/recipe/table_recipe.hpp"

namespace graphrun {

/// Of a `data:` whose files are tables. What is wrong is reported.
TableRecipe read_table_section(const YamlNode& section, Expansion& expansion);

/// Reports the keys of `data:` that only tables have.
void refuse_table_keys(const YamlNode& section, Expansion& expansion);

/// Writes what was fitted into the `data:` of a document: the model then stands without its table.
void write_fitted(YamlNode& document, const std::vector<FittedColumn>& columns);

}  // namespace graphrun
