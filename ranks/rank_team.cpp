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

}  // namespace

RankTeam::RankTeam(const graphrun_collectives& collectives, std::stop_token stop)
    : collectives_(collectives), stop_(std::move(stop)) {}

RankTeam::~RankTeam() {
  if (lost_) return;
  // The first one may be at work on its report for a while: this wait leaves it the cores, MPI's would not.
  int number = 0;
  int request = 0;
  if (collectives_.begin_largest(&number, &request) == graphrun_done &&
      collectives_.wait(request, give_up, this) == graphrun_done)
    collectives_.finish();
}

void RankTeam::Layout::clear() {
  counts.clear();
  offsets.clear();
  end = 0;
}

void RankTeam::Layout::append(std::size_t count, std::size_t skipped) {
  if (count + skipped > static_cast<std::size_t>(std::numeric_limits<int>::max() - end))
    throw Error(ErrorCode::usage,
                "MPI counts no more than 2^31 numbers a message: take fewer shards, or more ranks");
  counts.push_back(static_cast<int>(count));
  offsets.push_back(end);
  end += static_cast<int>(count + skipped);
}

runtime::ShardRange RankTeam::part_of(std::size_t elements, int rank) const {
  return runtime::part_of_member(static_cast<std::int64_t>(elements), rank, collectives_.ranks);
}

/// Each other rank is sent its part of the sums of the own shards.
graphrun_outcome RankTeam::begin(OwnSum& sum, const runtime::ShardSums& sums, std::span<float> own_part) {
  const std::size_t elements = sums.elements;
  const std::size_t own_shards = sums.own.size();
  const std::size_t part_size = own_part.size();
  sum.sent.clear();
  sum.received.clear();
  sum.stretches.clear();
  // Of one shard the others' parts lie around the own one.
  const bool packs = own_shards != 1;
  if (packs) sum.send.resize(std::max<std::size_t>(1, elements * own_shards));
  sum.receive.resize(part_size * (static_cast<std::size_t>(sums.filled) - own_shards));
  float* packed = sum.send.data();
  const float* received = sum.receive.data();
  for (int rank = 0; rank < collectives_.ranks; ++rank) {
    const runtime::ShardRange part = part_of(elements, rank);
    if (rank == collectives_.rank) {
      sum.sent.append(0, packs ? 0 : part_size);
      sum.received.append(0);
      for (const float* const own : sums.own) sum.stretches.push_back(own + part.begin);
      continue;
    }
    sum.sent.append(static_cast<std::size_t>(part.count) * own_shards);
    if (packs)
      for (const float* const own : sums.own) packed = std::copy_n(own + part.begin, part.count, packed);
    const runtime::ShardRange theirs = runtime::shards_of_member(sums.shards, rank, collectives_.ranks);
    const std::int64_t filled = std::clamp<std::int64_t>(sums.filled - theirs.begin, 0, theirs.count);
    sum.received.append(part_size * static_cast<std::size_t>(filled));
    for (std::int64_t shard = 0; shard < filled; ++shard, received += part_size)
      sum.stretches.push_back(received);
  }
  sum.own_part = own_part;
  const float* const send = packs ? sum.send.data() : sums.own.front();
  return collectives_.begin_exchange(send, sum.sent.table(), sum.receive.data(), sum.received.table(),
                                     &sum.request);
}

graphrun_outcome RankTeam::begin(Gather& gather, std::span<float> whole) {
  gather.parts.clear();
  for (int rank = 0; rank < collectives_.ranks; ++rank)
    gather.parts.append(static_cast<std::size_t>(part_of(whole.size(), rank).count) * sizeof(float));
  gather.whole = whole;
  gather.done = false;
  const runtime::ShardRange own = part_of(whole.size(), collectives_.rank);
  return collectives_.begin_gather(whole.data() + own.begin,
                                   static_cast<int>(own.count * std::int64_t{sizeof(float)}), whole.data(),
                                   gather.parts.table(), &gather.request);
}

void RankTeam::finish(OwnSum& sum) {
  wait(sum.request);
  if (!sum.own_part.empty()) runtime::add_in_order(sum.stretches, sum.own_part);
}

void RankTeam::finish(Gather& gather) {
  if (!gather.done) wait(gather.request);
  gather.done = true;
}

template <class Transfer, class Start>
void RankTeam::begin_next(Begun<Transfer>& begun, const Start& start) noexcept {
  if (lost_) return;
  try {
    if (begun.count == begun.all.size()) begun.all.emplace_back();
    lose(start(begun.all[begun.count]));
    ++begun.count;
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void RankTeam::begin_own_sum(const runtime::ShardSums& sums, std::span<float> own_part) noexcept {
  begin_next(sums_, [&](OwnSum& sum) { return begin(sum, sums, own_part); });
}

void RankTeam::begin_gather(std::span<float> whole) noexcept {
  begin_next(gathers_, [&](Gather& gather) { return begin(gather, whole); });
}

bool RankTeam::wait_for_gather(std::span<const float> whole) noexcept {
  if (failure_ || lost_) return false;
  try {
    for (std::size_t i = 0; i < gathers_.count; ++i)
      if (gathers_.all[i].whole.data() == whole.data()) finish(gathers_.all[i]);
    return true;
  } catch (...) {
    if (!lost_) failure_ = std::current_exception();
    return false;
  }
}

void RankTeam::finish() {
  if (failure_) std::rethrow_exception(failure_);
  throw_if_lost();
  for (std::size_t i = 0; i < sums_.count; ++i) finish(sums_.all[i]);
  for (std::size_t i = 0; i < gathers_.count; ++i) finish(gathers_.all[i]);
  sums_.count = 0;
  gathers_.count = 0;
}

void RankTeam::add_up(const runtime::ShardSums& sums, std::span<float> into) {
  const runtime::ShardRange own = part_of(into.size(), collectives_.rank);
  begin_own_sum(sums, into.subspan(static_cast<std::size_t>(own.begin), static_cast<std::size_t>(own.count)));
  finish();
  begin_gather(into);
  finish();
}

void RankTeam::gather_rows(std::span<std::byte> all, std::int64_t rows, std::int64_t shards) {
  throw_if_lost();
  const std::size_t row = all.size() / static_cast<std::size_t>(rows);
  Layout layout;
  for (int rank = 0; rank < collectives_.ranks; ++rank)
    layout.append(row * static_cast<std::size_t>(
                            runtime::rows_of_member(rows, shards, rank, collectives_.ranks).count));
  const auto own = static_cast<std::size_t>(collectives_.rank);
  int request = 0;
  require(collectives_.begin_gather(all.data() + layout.offsets[own], layout.counts[own], all.data(),
                                    layout.table(), &request));
  wait(request);
}

void RankTeam::collect(std::span<const float> own_part, std::span<float> whole) {
  throw_if_lost();
  Layout sent;
  Layout received;
  for (int rank = 0; rank < collectives_.ranks; ++rank) {
    sent.append(rank == 0 ? own_part.size() : 0);
    received.append(collectives_.rank == 0 ? static_cast<std::size_t>(part_of(whole.size(), rank).count) : 0);
  }
  int request = 0;
  require(
      collectives_.begin_exchange(own_part.data(), sent.table(), whole.data(), received.table(), &request));
  wait(request);
}

int RankTeam::largest(int own) {
  throw_if_lost();
  int request = 0;
  require(collectives_.begin_largest(&own, &request));
  wait(request);
  return own;
}

std::vector<std::string> RankTeam::gather(const std::string& own) {
  throw_if_lost();
  const auto ranks = static_cast<std::size_t>(collectives_.ranks);
  Layout one;
  for (std::size_t rank = 0; rank < ranks; ++rank) one.append(sizeof(std::uint64_t));
  std::vector<std::uint64_t> sizes(ranks);
  const std::uint64_t size = own.size();
  int request = 0;
  require(collectives_.begin_gather(&size, sizeof size, sizes.data(), one.table(), &request));
  wait(request);
  Layout layout;
  for (const std::uint64_t each : sizes) layout.append(each);
  std::string all(static_cast<std::size_t>(layout.offsets.back() + layout.counts.back()), '\0');
  require(
      collectives_.begin_gather(own.data(), static_cast<int>(size), all.data(), layout.table(), &request));
  wait(request);
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < ranks; ++rank)
    texts.push_back(all.substr(static_cast<std::size_t>(layout.offsets[rank]), sizes[rank]));
  return texts;
}

void RankTeam::agree_on_stop() {
  if (largest(stop_.stop_requested() ? 1 : 0) != 0) agreed_.request_stop();
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
  lose(outcome);
  throw_if_lost();
}

void RankTeam::lose(graphrun_outcome outcome) {
  if (outcome == graphrun_done || lost_) return;
  lost_ = outcome == graphrun_failed
              ? fmt::format("the other processes do not answer: {}", collectives_.failure())
              : "a stop was asked for, and the other processes do not answer";
}

void RankTeam::throw_if_lost() const {
  if (lost_) throw Error(ErrorCode::cancelled, *lost_);
}

void RankTeam::abort(int code) {
  collectives_.abort(code);
  std::_Exit(code);
}

}  // namespace graphrun::ranks
