/// \file
/// Chooses the mode: every node that differs between training and evaluation becomes the input for the one
/// that is asked for (or what its op says it always is), and what only the other needed is dropped.
///
/// Safe because nothing but these nodes knows of modes. Runs first: the gradients of a choice are the
/// gradients of what was chosen.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

enum class Mode { train, evaluate };

/// A node with the trait `mode` has two inputs: its value in training, and its value otherwise.
Graph specialise_mode(Graph graph, const OpRegistry& registry, Mode mode);

}  // namespace graphrun
