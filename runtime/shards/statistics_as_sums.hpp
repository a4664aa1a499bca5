/// \file
/// Mean and variance over the rows of a batch as sums over rows: first one for the mean, then one of squared
/// distances from it. An op that takes both in one pass needs all rows at once, and shards have their own.
///
/// Safe because it is what these ops mean; the last bits differ. Only for graphs that are cut into shards.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun::runtime {

Graph statistics_as_sums(Graph graph, const OpRegistry& registry);

}  // namespace graphrun::runtime
