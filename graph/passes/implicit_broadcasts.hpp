/// \file
/// An elementwise op broadcasts by itself: an operand that was repeated to a larger shape, or a constant that
/// holds one number in every element, is used as it was before.
///
/// Safe because the elements that meet are the same; an operand stays as it is where the result would get
/// another type. Runs after autograd, which repeats cotangents of sums: they need no memory then.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

Graph use_implicit_broadcasts(const Graph& graph, const OpRegistry& registry);

}  // namespace graphrun
