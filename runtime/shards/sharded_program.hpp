/// \file
/// A training program that runs shard by shard: its sections one after the other, each for all shards of this
/// member of a team, and between two of them the sums are added up over all shards. What it computes depends
/// on the number of shards and not on who runs them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/execute/session.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/shards/sections.hpp"
#include "runtime/shards/team.hpp"

namespace graphrun::runtime {

class ShardedProgram {
 public:
  /// Adds the sections to the session. ModelError as cut_at_sums(); Error{usage} when there are more members
  /// than shards. Session and team must outlive it.
  ShardedProgram(const Graph& graph, std::int64_t shards, const OpRegistry& ops,
                 const KernelRegistry& kernels, Session& session, Team& team);

  /// Makes plans and buffers for batches of so many rows in all: after it a run allocates nothing.
  void prepare(std::int64_t rows);

  /// As Session::run(), for a batch that the whole team has: `run.batch` counts its rows, `run.random` is
  /// that of its first one, and what has rows is fed with the member's own (rows_of_member()). A stop is
  /// heeded when the team has one member. Throws the same on every member.
  void run(const Run& run);

 private:
  /// A value between sections: of sums a stretch of what a shard sums up, of rows a buffer of its own.
  struct Value {
    Crossing crossing;
    std::size_t offset = 0;            ///< sums: in floats
    std::size_t elements = 0;          ///< sums
    std::vector<AlignedBytes> shards;  ///< rows: by own shard
  };
  struct Part {
    ProgramId program = 0;
    std::shared_ptr<const Graph> graph;
    std::vector<Value> sums;
    std::vector<Value> rows;
    std::size_t elements = 0;    ///< of all its sums
    std::vector<float> partial;  ///< sums by own shard
    std::vector<float> total;    ///< sums of all shards
    std::vector<Feed> feeds;     ///< by input of its graph
    std::vector<Fetch> fetches;
    std::vector<bool> has_rows;  ///< by input: one row for each of the batch's
  };
  struct Size {
    BatchSize size;
    float value = 0;
  };

  std::int64_t own_shards(std::int64_t rows) const;
  ShardRange rows_of(std::int64_t rows, std::int64_t own_shard) const;
  void set_sizes(std::int64_t rows);
  void bind(std::size_t part, const Run& run, std::int64_t own_shard);
  std::span<const std::byte> between_sections(std::size_t part, const std::string& name,
                                              std::int64_t own_shard, std::int64_t rows) const;
  Run run_of(const Part& part, const Run& run, std::int64_t own_shard) const;
  /// The first value that is not finite in the member's first shard that has one: "SHARD MESSAGE".
  [[noreturn]] void explain(const Run& run);

  Session& session_;
  Team& team_;
  const KernelRegistry& kernels_;
  std::int64_t shards_;
  ShardRange own_;
  std::vector<Part> parts_;
  std::vector<Size> sizes_;
  std::int64_t capacity_ = 0;  ///< rows in all for which there are buffers
};

}  // namespace graphrun::runtime
