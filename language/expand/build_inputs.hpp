/// \file
/// The inputs of a model. In: `inputs:`. Out: a node each, which stands at the top of the model under its
/// name, and what fills it. Those that are wrong are reported and left out.
#pragma once

#include <optional>
#include <vector>

#include "language/expand/scope.hpp"

namespace graphrun {

/// `rows` are those of the table that inputs take, if it is one. Where examples have weights there is an
/// input for them behind those of the file.
std::vector<ModelInput> build_inputs(Expansion& model, const std::optional<RowSizes>& rows, bool has_weights);

}  // namespace graphrun
