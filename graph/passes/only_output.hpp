/// \file
/// One output of a graph alone: no other outputs, and no effects that it does not wait for.
///
/// Safe because a value depends on what it needs alone. For looking at a graph, before any other pass: the
/// gradient checker asks how one value changes.
#pragma once

#include <string_view>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// The output `name` and what it needs; throws Error{usage} when there is none.
Graph only_output(const Graph& graph, const OpRegistry& registry, std::string_view name);

}  // namespace graphrun
