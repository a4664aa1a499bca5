/// \file
/// Who runs the shards of a batch: this process alone, or several that add up what their shards give.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace graphrun::runtime {

struct ShardRange {
  std::int64_t begin = 0;
  std::int64_t count = 0;
};

/// The rows of shard `shard` of a batch. Sizes differ by one at most, larger ones first; where a batch has
/// fewer rows than shards, the last ones are empty.
ShardRange rows_of_shard(std::int64_t rows, std::int64_t shards, std::int64_t shard);

/// The shards of which a member takes care, and the rows of all of them.
ShardRange shards_of_member(std::int64_t shards, int member, int members);
ShardRange rows_of_member(std::int64_t rows, std::int64_t shards, int member, int members);

/// Parts of members begin at multiples of so many numbers: where a cache line does.
inline constexpr std::int64_t member_grain = 16;

/// Which of `elements` numbers a member adds up, and keeps where each keeps a part. None is empty from
/// member_grain numbers a member on.
ShardRange part_of_member(std::int64_t elements, int member, int members);

/// Sums of some shards: `elements` numbers of each.
struct ShardSums {
  std::span<const float* const> own;  ///< where they lie, of each of the member's shards that has rows
  std::size_t elements = 0;
  std::int64_t shards = 1;  ///< of the whole batch
  std::int64_t filled = 1;  ///< how many of them have rows: the first ones
};

/// All members make the same calls in the same order, and stop at the same of them. A call returns on each
/// member, or throws Error{cancelled} on those that wait for one that has gone: from then on every call does.
class Team {
 public:
  virtual ~Team() = default;
  virtual int members() const = 0;
  virtual int member() const = 0;  ///< which one this is, from 0

  /// ((shard 0 + shard 1) + shard 2) + …, element by element, the same bits on every member.
  virtual void add_up(const ShardSums& sums, std::span<float> into) = 0;

  // ---- Parts. Each of these is begun by all members in the same order, from any thread, one call at a time;
  // ---- what it is given stays until finish(), which throws what went wrong.

  /// The same sum of the member's own part alone (part_of_member()).
  virtual void begin_own_sum(const ShardSums& sums, std::span<float> own_part) noexcept = 0;
  /// Fills in the others' parts beside the own one.
  virtual void begin_gather(std::span<float> whole) noexcept = 0;
  /// Returns when that is done: true, also when finish() has waited for it; or false, when it never will be,
  /// and finish() says why.
  virtual bool wait_for_gather(std::span<const float> whole) noexcept = 0;
  /// Returns when all that was begun is done.
  virtual void finish() = 0;

  /// Fills in the others' rows of a batch beside the own ones (rows_of_member()).
  virtual void gather_rows(std::span<std::byte> all, std::int64_t rows, std::int64_t shards) = 0;
  /// The first member's `whole` gets all members' parts; that of the others is left as it is.
  virtual void collect(std::span<const float> own_part, std::span<float> whole) = 0;
  /// The largest number that a member says.
  virtual int largest(int own) = 0;

  /// What each member says, in their order.
  virtual std::vector<std::string> gather(const std::string& own) = 0;
  /// When one of them has been asked to stop, all of them are from here on: what follows looks at a token
  /// that turns within this call alone.
  virtual void agree_on_stop() = 0;
};

/// A team of one.
class Alone final : public Team {
 public:
  int members() const override { return 1; }
  int member() const override { return 0; }
  void add_up(const ShardSums& sums, std::span<float> into) override;
  void begin_own_sum(const ShardSums& sums, std::span<float> own_part) noexcept override;
  void begin_gather(std::span<float> /*whole*/) noexcept override {}
  bool wait_for_gather(std::span<const float> /*whole*/) noexcept override { return true; }
  void finish() override {}
  void gather_rows(std::span<std::byte> /*all*/, std::int64_t /*rows*/, std::int64_t /*shards*/) override {}
  void collect(std::span<const float> own_part, std::span<float> whole) override;
  int largest(int own) override { return own; }
  std::vector<std::string> gather(const std::string& own) override { return {own}; }
  void agree_on_stop() override {}  // the host's own token is all there is
};

/// The ordered sum of stretches of into.size() numbers each: one for each shard, in their order.
void add_in_order(std::span<const float* const> stretches, std::span<float> into);

}  // namespace graphrun::runtime
