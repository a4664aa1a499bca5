/// \file
/// Repeats values as late as can be. An elementwise op broadcasts by itself: an operand that was repeated to
/// a larger shape, or a constant that holds one number in every element, is used as it was before; if no
/// operand fills the shape of the result, the result is computed small and repeated. A single number that was
/// repeated stays a single number through reshapes.
///
/// Safe because the elements that meet are the same. Runs after autograd, which repeats the cotangents of
/// sums: the scale of a mean loss then is one number, known when the batch is bound, and needs no pass over
/// memory.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

Graph use_implicit_broadcasts(Graph graph, const OpRegistry& registry);

}  // namespace graphrun
