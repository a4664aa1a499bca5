/// \file
/// Which variables of a model a part of it needs: an encoder does without the decoder's.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// The names of the variables that outputs or nodes are computed from, where the nodes or outputs `fed` are
/// given. Names that the model does not have are left aside: whoever runs it says so.
std::set<std::string> variables_behind(const ModelDefinition& model, const std::vector<std::string>& outputs,
                                       const std::vector<std::string>& fed);

}  // namespace graphrun::train
