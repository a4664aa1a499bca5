#include "bench/ruler/step_meter.hpp"

#include <algorithm>
#include <chrono>

#include "train/datasets/bind_inputs.hpp"

namespace graphrun::bench {

namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// What the meter itself allocates would be counted.
constexpr std::size_t most_times = 1'000'000;

}  // namespace

StepTimes summary(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double quantile) {
    return times[static_cast<std::size_t>(quantile * static_cast<double>(times.size() - 1))];
  };
  return {.median_us = at(0.5), .best_us = times.front(), .p95_us = at(0.95)};
}

RandomBatch::RandomBatch(const ModelDefinition& model, const std::vector<std::string>& inputs,
                         std::int64_t rows) {
  examples_.count = rows;
  for (const ModelInput& input : model.inputs) {
    const std::int64_t elements = train::row_elements(model, input);
    std::vector<std::uint8_t>& bytes = bytes_.emplace_back(static_cast<std::size_t>(rows * elements));
    const bool labels = input.source == InputSource::labels;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>((i * 2654435761U >> 7U) % (labels ? 2 : 256));
    examples_.columns[input.name] = {labels ? train::ColumnKind::u8_labels : train::ColumnKind::u8_pixels,
                                     elements, std::as_bytes(std::span(bytes))};
  }
  batch_.emplace(examples_, inputs, rows);
  batch_->gather(0, rows);
}

StepMeter::StepMeter(train::Learner& learner, std::int64_t rows, AllocationCount count)
    : learner_(learner),
      rows_(rows),
      count_(count),
      batch_(learner.model(), learner.training_inputs(), rows),
      figures_(learner.training_figures().size()) {
  times_.reserve(most_times);
}

void StepMeter::step() {
  learner_.step(batch_.feeds(), rows_, 0, figures_);
}

void StepMeter::warm_up(double seconds) {
  const Clock::time_point start = Clock::now();
  do {
    step();
  } while (microseconds_since(start) < seconds * 1e6);
}

void StepMeter::measure(double seconds) {
  last_ = times_.size();
  const Clock::time_point start = Clock::now();
  const std::uint64_t before = count_ == nullptr ? 0 : count_();
  do {
    const Clock::time_point step_start = Clock::now();
    step();
    times_.push_back(microseconds_since(step_start));
  } while (microseconds_since(start) < seconds * 1e6 && times_.size() < most_times);
  allocations_ += (count_ == nullptr ? 0 : count_()) - before;
}

double StepMeter::last_median_us() const {
  return summary({times_.begin() + static_cast<std::ptrdiff_t>(last_), times_.end()}).median_us;
}

double StepMeter::allocations_per_step() const {
  return static_cast<double>(allocations_) / static_cast<double>(times_.size());
}

}  // namespace graphrun::bench
