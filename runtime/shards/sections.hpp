/// \file
/// A training graph cut where sums over the batch end, so that it can be run on a shard of the batch at a
/// time, in one process or in several.
///
/// A batch is cut into shards: ranges of its rows. Between two cuts everything follows from the rows of one
/// shard and from sums that are known, so a section runs shard by shard. What it hands on is either rows,
/// which stay with their shard, or sums over the rows of a shard, which are added in the order of the shards.
/// The last section has the effects and the outputs, and sees sums alone.
///
/// Values that depend on no row are computed in each section that needs them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun::runtime {

/// A value on its way from one section to later ones: an output of the first, an input of the others, under
/// one name ("shards/enc.0:matmul").
struct Crossing {
  std::string name;
  Type type;
};

struct Section {
  std::shared_ptr<const Graph> graph;
  std::vector<Crossing> sums;  ///< outputs over the rows of a shard, f32, to be added up
  std::vector<Crossing> rows;  ///< outputs with a row for each of the shard's, for later sections
};

/// A number that follows from how many rows the whole batch has: an input of the sections that use it.
struct BatchSize {
  std::string name;
  Node node;      ///< the `size` it stands for
  Shape operand;  ///< of what is counted
};

struct Sections {
  std::vector<Section> sections;  ///< at least one; the last one is for all shards together
  std::vector<BatchSize> sizes;
};

/// Of a graph in executable form whose outputs depend on no single row. ModelError for a node that mixes rows
/// of the batch in another way than by adding them up.
Sections cut_at_sums(const Graph& graph, const OpRegistry& registry);

}  // namespace graphrun::runtime
