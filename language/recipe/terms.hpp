/// \file
/// Loss terms and metrics: each becomes a scalar, the mean over the batch. Internal to graph/yaml.
#pragma once

#include <map>
#include <string>

#include "language/expand/expander.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Adds the outputs `loss.NAME`, `weight.NAME`, `metric.NAME` and `loss`. Gives the terms of the loss.
std::map<std::string, NodeId> build_terms(const Spec& spec, Expander& expander, ModelDefinition& model);

}  // namespace graphrun
