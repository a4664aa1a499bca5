/// \file
/// From a model's graph to one that can be trained: the passes up to and before append_gradients.
#pragma once

#include "graph/graph.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/passes/specialise_mode.hpp"

namespace graphrun {

/// Chooses the mode, canonicalises, and expands the model's own gradients. The result is `differentiable`:
/// for training, append_gradients and the updates follow; then, or at once, make_executable.
Graph prepare(Graph graph, const OpRegistry& registry, Mode mode, const PassOptions& options = {});

}  // namespace graphrun
