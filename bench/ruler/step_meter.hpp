/// \file
/// Runs training steps on random pixels and looks at the clock.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/learn/learner.hpp"

namespace graphrun::bench {

struct StepTimes {
  double median_us = 0;
  double best_us = 0;
  double p95_us = 0;
};

/// Of at least one time.
StepTimes summary(std::vector<double> times);

/// Heap allocations of the process so far; a program that counts them hands one in.
using AllocationCount = std::uint64_t (*)() noexcept;

/// One batch of random pixels and labels for the inputs that a step needs.
class RandomBatch {
 public:
  RandomBatch(const ModelDefinition& model, const std::vector<std::string>& inputs, std::int64_t rows);
  std::span<const runtime::Feed> feeds() const { return batch_->feeds(); }

 private:
  std::deque<std::vector<std::uint8_t>> bytes_;
  train::Examples examples_;
  std::optional<train::Batch> batch_;
};

/// The steps of one learner, whose variables have values.
class StepMeter {
 public:
  StepMeter(train::Learner& learner, std::int64_t rows, AllocationCount count = nullptr);

  /// Steps for so long, at least one; their times are kept only by measure().
  void warm_up(double seconds);
  void measure(double seconds);
  void step();

  StepTimes times() const { return summary(times_); }
  /// The median of what the last call of measure() saw.
  double last_median_us() const;
  double allocations_per_step() const;

 private:
  train::Learner& learner_;
  std::int64_t rows_;
  AllocationCount count_;
  RandomBatch batch_;
  std::vector<float> figures_;
  std::vector<double> times_;
  std::size_t last_ = 0;  ///< where the times of the last call begin
  std::uint64_t allocations_ = 0;
};

}  // namespace graphrun::bench
