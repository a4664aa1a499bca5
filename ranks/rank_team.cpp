#include "ranks/rank_team.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "graphrun/error.hpp"

namespace graphrun::ranks {

namespace {

/// A launcher that ends its processes asks first, and kills a second later.
constexpr std::chrono::milliseconds patience{400};

/// Of parts of a vector: each begins where a cache line does.
constexpr std::size_t grain = 16;

}  // namespace

RankTeam::RankTeam(const graphrun_collectives& collectives, std::stop_token stop)
    : collectives_(collectives), stop_(std::move(stop)) {}

RankTeam::~RankTeam() {
  if (lost_) return;
  // The first one may be at work on its report for a while: this wait leaves it the cores, MPI's would not.
  int flag = 0;
  if (collectives_.any(&flag, give_up, this) == graphrun_done) collectives_.finish();
}

void RankTeam::Layout::append(std::size_t count) {
  const int offset = counts.empty() ? 0 : offsets.back() + counts.back();
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max() - offset))
    throw Error(ErrorCode::usage,
                "MPI counts no more than 2^31 numbers a message: take fewer shards, or more ranks");
  counts.push_back(static_cast<int>(count));
  offsets.push_back(offset);
}

std::size_t RankTeam::first_of_rank(std::size_t elements, int rank) const {
  const auto ranks = static_cast<std::size_t>(collectives_.ranks);
  const std::size_t grains = (elements + grain - 1) / grain;
  return std::min(elements, grains * static_cast<std::size_t>(rank) / ranks * grain);
}

void RankTeam::add_up(const runtime::ShardSums& sums, std::span<float> into) {
  throw_if_lost();
  const int ranks = collectives_.ranks;
  const std::size_t elements = sums.elements;
  const std::size_t own_begin = first_of_rank(elements, collectives_.rank);
  const std::size_t own_count = first_of_rank(elements, collectives_.rank + 1) - own_begin;
  const std::size_t own_shards = elements == 0 ? 0 : sums.own.size() / elements;
  sent_ = {};
  received_ = {};
  if (own_shards > 1) send_.resize(sums.own.size());
  receive_.resize(own_count * static_cast<std::size_t>(sums.filled));
  float* packed = send_.data();
  for (int rank = 0; rank < ranks; ++rank) {
    const std::size_t begin = first_of_rank(elements, rank);
    const std::size_t count = first_of_rank(elements, rank + 1) - begin;
    sent_.append(count * own_shards);
    // Of one shard the parts lie in the order of the ranks already.
    for (std::size_t shard = 0; own_shards > 1 && shard < own_shards; ++shard)
      packed = std::copy_n(sums.own.data() + shard * elements + begin, count, packed);
    const runtime::ShardRange theirs = runtime::shards_of_member(sums.shards, rank, ranks);
    const std::int64_t filled = std::clamp<std::int64_t>(sums.filled - theirs.begin, 0, theirs.count);
    received_.append(own_count * static_cast<std::size_t>(filled));
  }
  const float* const send = own_shards > 1 ? send_.data() : sums.own.data();
  require(
      collectives_.exchange_floats(send, sent_.table(), receive_.data(), received_.table(), give_up, this));
  const std::span<float> own = into.subspan(own_begin, own_count);
  if (own_count > 0) runtime::add_in_order(receive_, sums.filled, own);
  Layout parts;
  for (int rank = 0; rank < ranks; ++rank)
    parts.append((first_of_rank(elements, rank + 1) - first_of_rank(elements, rank)) * sizeof(float));
  require(collectives_.gather_bytes(own.data(), static_cast<int>(own.size_bytes()), into.data(),
                                    parts.table(), give_up, this));
}

std::vector<std::string> RankTeam::gather(const std::string& own) {
  throw_if_lost();
  const auto ranks = static_cast<std::size_t>(collectives_.ranks);
  Layout one;
  for (std::size_t rank = 0; rank < ranks; ++rank) one.append(sizeof(std::uint64_t));
  std::vector<std::uint64_t> sizes(ranks);
  const std::uint64_t size = own.size();
  require(collectives_.gather_bytes(&size, sizeof size, sizes.data(), one.table(), give_up, this));
  Layout layout;
  for (const std::uint64_t each : sizes) layout.append(each);
  std::string all(static_cast<std::size_t>(layout.offsets.back() + layout.counts.back()), '\0');
  require(collectives_.gather_bytes(own.data(), static_cast<int>(size), all.data(), layout.table(), give_up,
                                    this));
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < ranks; ++rank)
    texts.push_back(all.substr(static_cast<std::size_t>(layout.offsets[rank]), sizes[rank]));
  return texts;
}

void RankTeam::agree_on_stop() {
  throw_if_lost();
  int flag = stop_.stop_requested() ? 1 : 0;
  require(collectives_.any(&flag, give_up, this));
  if (flag != 0) agreed_.request_stop();
}

/// While all live, a stop is agreed on within a step. When one waits for longer, another has gone.
int RankTeam::give_up(void* team) {
  auto& self = *static_cast<RankTeam*>(team);
  if (!self.stop_.stop_requested()) return 0;
  const auto now = std::chrono::steady_clock::now();
  if (!self.waiting_since_) self.waiting_since_ = now;
  return now - *self.waiting_since_ > patience ? 1 : 0;
}

void RankTeam::require(graphrun_outcome outcome) {
  waiting_since_.reset();
  if (outcome == graphrun_done) return;
  lost_ = outcome == graphrun_failed
              ? fmt::format("the other processes do not answer: {}", collectives_.failure())
              : "a stop was asked for, and the other processes do not answer";
  throw_if_lost();
}

void RankTeam::throw_if_lost() const {
  if (lost_) throw Error(ErrorCode::cancelled, *lost_);
}

void RankTeam::abort(int code) {
  collectives_.abort(code);
  std::_Exit(code);
}

}  // namespace graphrun::ranks
