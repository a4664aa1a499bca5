/// \file
/// What a person may do with a run that has ended: only what works for its model and data.
#pragma once

#include <string>

#include "language/recipe/definition.hpp"
#include "train/run/run.hpp"

namespace graphrun::cli {

/// "\nnext:\n" and a line for each command, as a shell takes it; empty when there is none.
std::string next_steps(const ModelDefinition& model, const train::RunResult& result,
                       const std::string& program);

}  // namespace graphrun::cli
