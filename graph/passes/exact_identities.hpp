/// \file
/// Op-owned rewrites that change no bit in f64: x·1, x − 0, x/1, −(−x), a reshape of a reshape, a transpose
/// that undoes another, …, swept until nothing changes.
///
/// Safe because each is exact for every input: x + 0 stays (−0 + 0 is 0), and so does x·0 (NaN and infinity).
/// Runs after autograd, which leaves many of them.
#pragma once

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

Graph apply_exact_identities(Graph graph, const OpRegistry& registry);

}  // namespace graphrun
