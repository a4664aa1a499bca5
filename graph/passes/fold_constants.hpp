/// \file
/// Computes small nodes whose inputs are all constants, by their f64 reference.
///
/// Safe because the reference is the meaning of an op: the constant is what the node would give, exactly in
/// f64. Left alone: random ops, effects, marks for gradients, anything with the batch in its shape, and what
/// has more than `most_folded_elements`, which would only make the plan larger. Runs among the exact passes.
#pragma once

#include <cstdint>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

inline constexpr std::int64_t most_folded_elements = 64;

Graph fold_constants(Graph graph, const OpRegistry& registry);

}  // namespace graphrun
