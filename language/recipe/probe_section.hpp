/// \file
/// The entries of `metrics:` that are probes: `{probe: knn, in: [code, y], k: 5}`. Internal to language.
#pragma once

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Fills model.probes; what is wrong is reported.
void build_probes(Expansion& expansion, ModelDefinition& model);

}  // namespace graphrun
