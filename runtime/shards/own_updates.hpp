/// \file
/// The updates of one member of a team: of each large variable it updates its own part, and keeps its own
/// part of the optimizer's state. An element of a weight follows from the same element of its gradient and of
/// its slots, so who updates it changes no bit.
///
/// Of the gradient the part is enough where it is used element by element (clipped, scaled, decayed). Where
/// somebody needs all of it, as the norm of all gradients does, it is computed whole on each member, and the
/// part is cut out.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun::runtime {

struct OwnPart {
  std::string variable;
  Extents whole;
  std::size_t begin = 0;
  std::size_t count = 0;
  Initializer initializer = {};
};

struct OwnUpdates {
  std::shared_ptr<const Graph> graph;
  std::vector<OwnPart> weights;  ///< called own_part_name() in the graph, as [count]
  std::vector<OwnPart> slots;    ///< called as ever, as [count]
};

/// What the graph calls the part of an input or a weight.
std::string own_part_name(const std::string& name);
/// Is `name` what own_part_name() makes of `of`? Allocates nothing.
bool is_own_part_name(std::string_view name, std::string_view of);

/// Of a graph for all shards together. `sums` are the inputs of which parts can be had.
OwnUpdates own_updates(const Graph& graph, const OpRegistry& registry, const std::set<std::string>& sums,
                       int member, int members);

}  // namespace graphrun::runtime
