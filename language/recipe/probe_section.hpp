/// \file
/// The entries of `metrics:` that are probes: `{probe: knn, in: [code, y], k: 5}`. Internal to graph/yaml.
#pragma once

#include "language/expand/expander.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Fills model.probes; what is wrong is reported.
void build_probes(const ModelDeclaration& declared, Expander& expander, ModelDefinition& model);

}  // namespace graphrun
