/// \file
/// A training program that runs shard by shard: its sections one after the other, each for all shards of this
/// member of a team, and between two of them the sums are added up over all shards. What it computes depends
/// on the number of shards and not on who runs them.
///
/// In a team each member updates its own part of large weights, and keeps that part of the optimizer's state.
/// The gradient of such a weight goes to the owners of its parts as soon as it is there, while the others are
/// made. The new parts of all weights are gathered from the end of a run on, while the next one begins: each
/// weight is waited for before the first unit that reads it. Whoever else looks at variables waits for all of
/// them (Session::expect()).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runtime/execute/session.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/shards/departures.hpp"
#include "runtime/shards/sections.hpp"
#include "runtime/shards/team.hpp"
#include "runtime/shards/weight_arrivals.hpp"

namespace graphrun::runtime {

class ShardedProgram {
 public:
  /// Adds the sections to the session, of which slots of large weights are parts then (VariableStore). So no
  /// graph with these slots may be there before. ModelError as cut_at_sums(); Error{usage} when there are
  /// more members than shards. Session and team must outlive it.
  ShardedProgram(const Graph& graph, std::int64_t shards, Mixing mixing, const OpRegistry& ops,
                 const KernelRegistry& kernels, Session& session, Team& team);
  /// Waits for what was begun, whose memory goes with it.
  ~ShardedProgram();
  ShardedProgram(const ShardedProgram&) = delete;
  ShardedProgram& operator=(const ShardedProgram&) = delete;

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
    AlignedBytes all;                  ///< of all shards: gathered rows, and what is made of them
  };
  /// What is added up at once.
  struct Sums {
    std::vector<Value> values;
    std::size_t elements = 0;
    std::vector<float> partial;       ///< by own shard
    std::vector<const float*> where;  ///< it lies, by own shard: in `partial`, or where it was made
    std::vector<float> total;         ///< of all shards; of what is divided the own part
    void add(Value value);
    void make_room(std::size_t own_shards);
  };
  /// What comes before the shards of a section, on the rows of all.
  struct Together {
    ProgramId program = 0;
    std::shared_ptr<const Graph> graph;
    std::vector<Value> values;
    std::vector<Feed> feeds;
    std::vector<Fetch> fetches;
  };
  struct Part {
    std::optional<Together> together;
    ProgramId program = 0;
    std::shared_ptr<const Graph> graph;
    Sums sums;                  ///< that a later section needs whole
    std::vector<Sums> divided;  ///< of which each member needs its own part, one by one
    std::unique_ptr<Departures> departures;
    std::vector<Value> rows;
    std::vector<Feed> feeds;  ///< by input of its graph
    std::vector<Fetch> fetches;
    std::vector<bool> has_rows;  ///< by input: one row for each of the batch's
  };
  struct Size {
    BatchSize size;
    float value = 0;
  };

  Part make_part(Section section, const std::set<std::string>& whole);
  std::shared_ptr<const Graph> with_own_updates(const Graph& last, const Sections& cut,
                                                const OpRegistry& ops);
  ShardSums sums_of(const Sums& sums, std::int64_t rows) const;
  void leave(Sums& sums, const float* made) noexcept;
  Together make_together(Section& section);
  void make_room(Value& value, std::int64_t rows) const;
  Run run_of_all(std::size_t index, const Run& run);
  std::span<const std::byte> of_all(std::size_t part, const std::string& name, std::int64_t rows) const;
  std::optional<std::span<const std::byte>> known_sum(std::size_t part, const std::string& name) const;
  void gather_rows(Part& part, std::int64_t rows);
  void run_section(std::size_t index, const Run& run, SideWork* side);
  void run_last(const Run& run, SideWork* side);
  void agree_on_spoilt();

  std::int64_t own_shards(std::int64_t rows) const;
  ShardRange rows_of(std::int64_t rows, std::int64_t own_shard) const;
  void set_sizes(std::int64_t rows);
  void bind(std::size_t part, const Run& run, std::int64_t own_shard);
  std::span<const std::byte> between_sections(std::size_t part, const std::string& name,
                                              std::int64_t own_shard, std::int64_t rows) const;
  std::optional<std::span<const std::byte>> sum_called(const std::string& name, const Value& sum,
                                                       std::span<const float> total) const;
  Arrivals* arrivals();
  Run run_of(const Part& part, const Run& run, std::int64_t own_shard);
  /// The first value that is not finite in the member's first shard that has one: "SHARD MESSAGE".
  [[noreturn]] void explain(const Run& run);

  Session& session_;
  Team& team_;
  const KernelRegistry& kernels_;
  std::int64_t shards_;
  ShardRange own_;
  std::vector<Part> parts_;
  std::shared_ptr<WeightArrivals> weights_;                  ///< of which each member updates its part
  std::vector<std::shared_ptr<const std::string>> updated_;  ///< weights, in the order of their updates
  std::int64_t rows_ = 0;                                    ///< of the batch at hand
  std::vector<Size> sizes_;
  std::int64_t capacity_ = 0;  ///< rows in all for which there are buffers
};

}  // namespace graphrun::runtime
