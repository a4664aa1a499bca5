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
///
/// What mixes rows in another way than by adding them up is refused, or, where that is asked for, computed
/// from the rows of all shards by each member: before the shards of a section comes a graph for all of them,
/// which is fed gathered rows.
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
  bool gathered = false;  ///< rows: each member needs those of all shards
};

struct Section {
  std::shared_ptr<const Graph> graph;
  std::vector<Crossing> sums;             ///< outputs over the rows of a shard, f32, to be added up
  std::vector<Crossing> rows;             ///< outputs with a row for each of the shard's, for later sections
  std::shared_ptr<const Graph> together;  ///< runs first, on the rows of all shards; null: nothing does
  std::vector<Crossing> of_all;           ///< its outputs, which these shards and all that follows may use
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

/// What becomes of a node that mixes rows of the batch in another way than by adding them up.
enum class Mixing : std::uint8_t { refuse, gather };

/// Of a graph in executable form whose outputs depend on no single row. ModelError for a node that cannot be
/// cut.
Sections cut_at_sums(const Graph& graph, const OpRegistry& registry, Mixing mixing);

}  // namespace graphrun::runtime
