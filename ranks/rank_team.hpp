/// \file
/// Processes that learn together over a library for message passing. Sums go as a reduce-scatter: each rank
/// gets its part of the sums of all shards, adds them in the order of the shards, and all ranks gather the
/// parts. So a rank receives each number once from each other shard and once more when it is added up, and
/// which rank adds what changes no bit. What its own shards give it adds where it lies.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "ranks/collectives.h"
#include "runtime/shards/team.hpp"

namespace graphrun::ranks {

class RankTeam final : public runtime::Team {
 public:
  /// `stop`: what this process alone is asked. The table's functions must stay.
  RankTeam(const graphrun_collectives& collectives, std::stop_token stop);
  /// Leaves the others, if all went well; they do the same.
  ~RankTeam() override;
  RankTeam(const RankTeam&) = delete;
  RankTeam& operator=(const RankTeam&) = delete;

  int members() const override { return collectives_.ranks; }
  int member() const override { return collectives_.rank; }
  void add_up(const runtime::ShardSums& sums, std::span<float> into) override;
  void begin_own_sum(const runtime::ShardSums& sums, std::span<float> own_part) noexcept override;
  void begin_gather(std::span<float> whole) noexcept override;
  bool wait_for_gather(std::span<const float> whole) noexcept override;
  void finish() override;
  void gather_rows(std::span<std::byte> all, std::int64_t rows, std::int64_t shards) override;
  void collect(std::span<const float> own_part, std::span<float> whole) override;
  int largest(int own) override;
  std::vector<std::string> gather(const std::string& own) override;
  void agree_on_stop() override;

  /// Turns when all ranks have agreed to stop, on each at the same call.
  std::stop_token stop() const { return agreed_.get_token(); }

  /// Why calls throw Error{cancelled}; nothing as long as they do not.
  const std::optional<std::string>& lost() const { return lost_; }

  /// Ends all ranks, where one alone has failed.
  [[noreturn]] void abort(int code);
  /// The library behind it, for the log.
  std::string library() const { return collectives_.library(); }

 private:
  struct Layout {
    std::vector<int> counts;
    std::vector<int> offsets;
    int end = 0;
    void clear();
    /// Behind what is there; so many behind it belong to nobody.
    void append(std::size_t count, std::size_t skipped = 0);
    graphrun_layout table() const { return {counts.data(), offsets.data()}; }
  };

  // What was begun, with what must stay until it is done.
  struct OwnSum {
    int request = 0;
    Layout sent;
    Layout received;
    std::vector<float> send;
    std::vector<float> receive;
    std::vector<const float*> stretches;  ///< of the own part, by shard: received, or given
    std::span<float> own_part;
  };
  struct Gather {
    int request = 0;
    Layout parts;
    std::span<const float> whole;
    bool done = false;
  };
  /// Kept from step to step.
  template <class Transfer>
  struct Begun {
    std::deque<Transfer> all;
    std::size_t count = 0;  ///< how many of them are on their way
  };

  static int give_up(void* team);
  void require(graphrun_outcome outcome);
  void lose(graphrun_outcome outcome);
  void throw_if_lost() const;
  void wait(int request) { require(collectives_.wait(request, give_up, this)); }
  runtime::ShardRange part_of(std::size_t elements, int rank) const;
  graphrun_outcome begin(OwnSum& sum, const runtime::ShardSums& sums, std::span<float> own_part);
  graphrun_outcome begin(Gather& gather, std::span<float> whole);
  void finish(OwnSum& sum);
  void finish(Gather& gather);
  /// Begins what `start` says with the next transfer.
  template <class Transfer, class Start>
  void begin_next(Begun<Transfer>& begun, const Start& start) noexcept;

  graphrun_collectives collectives_;
  std::stop_token stop_;
  std::stop_source agreed_;
  std::optional<std::string> lost_;
  std::exception_ptr failure_;  ///< of a call that must not throw: finish() does
  std::optional<std::chrono::steady_clock::time_point>
      waiting_since_;  ///< with a stop that others do not heed
  Begun<OwnSum> sums_;
  Begun<Gather> gathers_;
};

/// How many ranks a launcher says it has started, this process being one of them; 1 when none did.
int launched_ranks();
/// Which of them this is, from 0, as far as the launcher says; else 0.
int launched_rank();
/// How long a rank waits with the news of its failure: what fails on all of them the first one tells, and
/// the launcher ends the others, which on a busy machine takes seconds.
inline constexpr std::chrono::seconds others_wait{5};

/// Opens the module for MPI and joins the other ranks. Error{usage} when graphrun was built without it,
/// Error{io} when it, or the library below it, cannot be opened, is of another build, or knows nothing of the
/// ranks that the launcher has started.
std::shared_ptr<RankTeam> join(std::stop_token stop);
/// The same with the module in this file.
std::shared_ptr<RankTeam> join(const std::filesystem::path& module, std::stop_token stop);

}  // namespace graphrun::ranks
