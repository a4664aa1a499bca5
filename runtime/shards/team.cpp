#include "runtime/shards/team.hpp"

#include <algorithm>

namespace graphrun::runtime {

ShardRange rows_of_shard(std::int64_t rows, std::int64_t shards, std::int64_t shard) {
  const std::int64_t each = rows / shards;
  const std::int64_t longer = rows % shards;
  return {shard * each + std::min(shard, longer), each + (shard < longer ? 1 : 0)};
}

ShardRange shards_of_member(std::int64_t shards, int member, int members) {
  const std::int64_t begin = shards * member / members;
  return {begin, shards * (member + 1) / members - begin};
}

ShardRange rows_of_member(std::int64_t rows, std::int64_t shards, int member, int members) {
  const ShardRange own = shards_of_member(shards, member, members);
  const std::int64_t begin = rows_of_shard(rows, shards, own.begin).begin;
  if (own.count == 0) return {begin, 0};
  const ShardRange last = rows_of_shard(rows, shards, own.begin + own.count - 1);
  return {begin, last.begin + last.count - begin};
}

ShardRange part_of_member(std::int64_t elements, int member, int members) {
  const std::int64_t grains = (elements + member_grain - 1) / member_grain;
  const auto first = [&](std::int64_t of) {
    return std::min(elements, grains * of / members * member_grain);
  };
  return {first(member), first(member + 1) - first(member)};
}

namespace {

/// So many numbers of a sum stay in the first-level cache while all shards are added to them.
constexpr std::size_t numbers_at_once = 2048;

}  // namespace

void add_in_order(std::span<const float* const> stretches, std::span<float> into) {
  for (std::size_t begin = 0; begin < into.size(); begin += numbers_at_once) {
    const std::size_t count = std::min(numbers_at_once, into.size() - begin);
    float* const sum = into.data() + begin;
    const float* const first = stretches[0] + begin;
    if (stretches.size() == 1) {
      std::copy_n(first, count, sum);
      continue;
    }
    const float* const second = stretches[1] + begin;
    for (std::size_t i = 0; i < count; ++i) sum[i] = first[i] + second[i];
    for (const float* const stretch : stretches.subspan(2))
      for (std::size_t i = 0; i < count; ++i) sum[i] += stretch[begin + i];
  }
}

void Alone::add_up(const ShardSums& sums, std::span<float> into) {
  add_in_order(sums.own, into);
}

void Alone::begin_own_sum(const ShardSums& sums, std::span<float> own_part) noexcept {
  add_in_order(sums.own, own_part);
}

void Alone::collect(std::span<const float> own_part, std::span<float> whole) {
  std::ranges::copy(own_part, whole.begin());
}

}  // namespace graphrun::runtime
