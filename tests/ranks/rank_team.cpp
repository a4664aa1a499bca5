// A team over a table of collectives: here one of a single rank, and one whose other rank never answers.
#include "ranks/rank_team.hpp"

#include <algorithm>
#include <cstring>
#include <stop_token>
#include <string>
#include <vector>

#include "graphrun/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

int finished = 0;

graphrun_collectives of_one_rank() {
  graphrun_collectives table{};
  table.ranks = 1;
  table.begin_exchange = [](const float* send, graphrun_layout sent, float* receive, graphrun_layout, int*) {
    std::copy_n(send, sent.counts[0], receive);
    return graphrun_done;
  };
  table.begin_gather = [](const void* own, int bytes, void* all, graphrun_layout, int*) {
    std::memmove(all, own, static_cast<std::size_t>(bytes));
    return graphrun_done;
  };
  table.begin_largest = [](int*, int*) { return graphrun_done; };
  table.wait = [](int, graphrun_give_up, void*) { return graphrun_done; };
  table.failure = [] { return "the network is down"; };
  table.library = [] { return "none"; };
  table.finish = [] { ++finished; };
  return table;
}

/// Waits as MPI does, for somebody who is gone.
graphrun_outcome wait_for_nobody(int, graphrun_give_up give_up, void* context) {
  while (give_up(context) == 0) {
  }
  return graphrun_given_up;
}

}  // namespace

TEST_CASE("a team over collectives adds shards in their order") {
  std::vector<float> sums;
  for (int i = 0; i < 3 * 50; ++i) sums.push_back(1.0F / static_cast<float>(i + 1));
  const std::vector<const float*> own_sums = {sums.data(), sums.data() + 50, sums.data() + 100};
  std::vector<float> expected(50);
  runtime::Alone().add_up({.own = own_sums, .elements = 50, .shards = 4, .filled = 3}, expected);
  CHECK(expected[7] == (sums[7] + sums[57]) + sums[107]);
  finished = 0;
  {
    ranks::RankTeam team(of_one_rank(), {});
    std::vector<float> total(50);
    team.add_up({.own = own_sums, .elements = 50, .shards = 4, .filled = 3}, total);
    CHECK(total == expected);
    CHECK(team.gather("said") == std::vector<std::string>{"said"});
    std::vector<float> own(50);
    team.begin_own_sum({.own = own_sums, .elements = 50, .shards = 4, .filled = 3}, own);
    team.begin_gather(total);
    team.finish();
    CHECK(own == expected);
    CHECK(total == expected);
  }
  CHECK(finished == 1);
}

namespace {

/// The other of two ranks, which answers when it is waited for, and not before.
std::vector<float*> on_their_way;
graphrun_outcome answer = graphrun_done;

graphrun_collectives of_two_ranks() {
  graphrun_collectives table = of_one_rank();
  table.ranks = 2;
  table.begin_largest = [](int*, int* request) {
    *request = -1;
    return graphrun_done;
  };
  table.begin_gather = [](const void*, int, void* all, graphrun_layout layout, int* request) {
    *request = static_cast<int>(on_their_way.size());
    on_their_way.push_back(reinterpret_cast<float*>(static_cast<char*>(all) + layout.offsets[1]));
    return graphrun_done;
  };
  table.begin_exchange = [](const float* send, graphrun_layout sent, float* receive, graphrun_layout received,
                            int* request) {
    // It has what this one has.
    std::copy_n(send + sent.offsets[1], received.counts[1], receive);
    *request = -1;
    return sent.counts[0] == 0 ? graphrun_done : graphrun_failed;
  };
  table.wait = [](int request, graphrun_give_up, void*) {
    if (request >= 0 && answer == graphrun_done) *on_their_way[static_cast<std::size_t>(request)] = 7;
    return answer;
  };
  return table;
}

}  // namespace

TEST_CASE("one gather is waited for alone, and once") {
  on_their_way.clear();
  answer = graphrun_done;
  ranks::RankTeam team(of_two_ranks(), {});
  std::vector<float> first(64);
  std::vector<float> second(64);
  team.begin_gather(first);
  team.begin_gather(second);
  CHECK(team.wait_for_gather(second));
  CHECK(first[32] == 0);
  CHECK(second[32] == 7);
  second[32] = 8;
  CHECK(team.wait_for_gather(second));
  team.finish();
  CHECK(first[32] == 7);
  CHECK(second[32] == 8);
  CHECK(team.wait_for_gather(first));
}

TEST_CASE("a gather that never comes is not taken for one that did") {
  on_their_way.clear();
  answer = graphrun_failed;
  ranks::RankTeam team(of_two_ranks(), {});
  std::vector<float> weight(64);
  team.begin_gather(weight);
  CHECK(!team.wait_for_gather(weight));
  CHECK(!team.wait_for_gather(weight));
  CHECK(throws([&] { team.finish(); }, ErrorCode::cancelled, "the network is down"));
}

TEST_CASE("what a rank has itself is not sent to it") {
  answer = graphrun_done;
  for (const std::int64_t own_shards : {1, 2}) {
    std::vector<float> sums;
    for (std::int64_t i = 0; i < 64 * own_shards; ++i) sums.push_back(1.0F / static_cast<float>(i + 1));
    std::vector<const float*> own_sums;
    for (std::int64_t shard = 0; shard < own_shards; ++shard) own_sums.push_back(sums.data() + shard * 64);
    ranks::RankTeam team(of_two_ranks(), {});
    std::vector<float> own(32);
    team.begin_own_sum({.own = own_sums, .elements = 64, .shards = 2 * own_shards, .filled = 2 * own_shards},
                       own);
    team.finish();
    std::vector<float> expected(32);
    for (std::size_t i = 0; i < 32; ++i) {
      float sum = sums[i];
      if (own_shards == 2) sum += sums[64 + i];
      for (std::int64_t shard = 0; shard < own_shards; ++shard)
        sum += sums[static_cast<std::size_t>(shard) * 64 + 32 + i];
      expected[i] = sum;
    }
    CHECK(own == expected);
  }
}

TEST_CASE("a stop is agreed on, and the host's own alone is not heeded") {
  std::stop_source asked;
  ranks::RankTeam team(of_one_rank(), asked.get_token());
  team.agree_on_stop();
  CHECK(!team.stop().stop_requested());
  asked.request_stop();
  CHECK(!team.stop().stop_requested());
  team.agree_on_stop();
  CHECK(team.stop().stop_requested());
}

TEST_CASE("who waits for a rank that is gone gives up once a stop was asked for") {
  finished = 0;
  {
    graphrun_collectives table = of_one_rank();
    table.wait = wait_for_nobody;
    std::stop_source asked;
    asked.request_stop();
    ranks::RankTeam team(table, asked.get_token());
    CHECK(throws([&] { team.agree_on_stop(); }, ErrorCode::cancelled, "do not answer"));
    REQUIRE(team.lost().has_value());
    CHECK(throws([&] { team.gather("said"); }, ErrorCode::cancelled, "do not answer"));
    CHECK(!team.stop().stop_requested());
  }
  CHECK(finished == 0);
}

TEST_CASE("what the transport says of its failure is handed on") {
  graphrun_collectives table = of_one_rank();
  table.begin_gather = [](const void*, int, void*, graphrun_layout, int*) { return graphrun_failed; };
  ranks::RankTeam team(table, {});
  CHECK(throws([&] { team.gather("said"); }, ErrorCode::cancelled, "the network is down"));
}

TEST_CASE("a module that is not there, or is of another build, is said to be so") {
  CHECK(throws([] { ranks::join("/nowhere/graphrun-mpi.so", {}); }, ErrorCode::io,
               "cannot open MPI: /nowhere/graphrun-mpi.so"));
  CHECK(throws([] { ranks::join("libm.so.6", {}); }, ErrorCode::io,
               "libm.so.6 is of another build than this graphrun; install both together"));
}
