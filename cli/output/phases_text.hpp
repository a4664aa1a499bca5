/// \file
/// What the phases of a run have come to, as people and programs read it.
#pragma once

#include <string>

#include "cli/json.hpp"
#include "language/recipe/definition.hpp"
#include "train/run/run.hpp"

namespace graphrun::cli {

/// A line for each phase, with "± …" where there were draws, and one for each difference of pairs; empty for
/// a model without phases.
std::string phases_text(const ModelDefinition& model, const train::RunResult& result);

/// Sets `phases` and `differences`, in a model with phases.
void set_phases(files::JsonObject& object, const ModelDefinition& model, const train::RunResult& result);

}  // namespace graphrun::cli
