/// \file
/// The weights of which each member of a team has updated its own part: they are gathered while the next step
/// begins, and each is waited for by whoever reads it first.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>

#include "runtime/execute/arrivals.hpp"
#include "runtime/shards/team.hpp"

namespace graphrun::runtime {

class WeightArrivals final : public Arrivals {
 public:
  explicit WeightArrivals(Team& team) : team_(team) {}

  /// One more, which is used after those before it.
  void add(std::span<float> weight);
  bool empty() const { return weights_.empty(); }

  /// Begins to gather all of them. None may be on its way.
  void begin() noexcept;
  /// Is one of them on its way?
  bool pending() const noexcept { return left_.load(std::memory_order_acquire) > 0; }

  void wait_for(const std::byte* values) noexcept override;
  void wait_for_all() override;

  /// Held during calls of the team while a run goes on: it takes one at a time.
  std::mutex& calling() { return calling_; }

 private:
  struct Weight {
    std::span<float> values;
    std::atomic<bool> there = true;
  };
  Weight* weight_with(const std::byte* values) noexcept;

  Team& team_;
  std::mutex calling_;
  std::deque<Weight> weights_;
  std::atomic<std::size_t> left_ = 0;
};

}  // namespace graphrun::runtime
