#include "runtime/shards/weight_arrivals.hpp"

#include <algorithm>
#include <functional>

namespace graphrun::runtime {

void WeightArrivals::add(std::span<float> weight) {
  weights_.emplace_back().values = weight;
}

void WeightArrivals::begin() noexcept {
  const std::lock_guard lock(calling_);
  for (Weight& weight : weights_) {
    weight.there.store(false, std::memory_order_relaxed);
    team_.begin_gather(weight.values);
  }
  left_.store(weights_.size(), std::memory_order_release);
}

/// Null when they belong to none.
WeightArrivals::Weight* WeightArrivals::weight_with(const std::byte* values) noexcept {
  const auto has = [values](const Weight& weight) {
    const std::span<const std::byte> bytes = std::as_bytes(weight.values);
    return !std::less<>()(values, bytes.data()) && std::less<>()(values, bytes.data() + bytes.size());
  };
  const auto found = std::ranges::find_if(weights_, has);
  return found == weights_.end() ? nullptr : &*found;
}

void WeightArrivals::wait_for(const std::byte* values) noexcept {
  if (!pending()) return;
  Weight* const weight = weight_with(values);
  if (weight == nullptr || weight->there.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(calling_);
  if (weight->there.load(std::memory_order_relaxed)) return;  // another thread has waited for it
  if (!team_.wait_for_gather(weight->values)) return;
  weight->there.store(true, std::memory_order_release);
  left_.fetch_sub(1, std::memory_order_acq_rel);
}

void WeightArrivals::wait_for_all() {
  if (!pending()) return;
  const std::lock_guard lock(calling_);
  team_.finish();
  for (Weight& weight : weights_) weight.there.store(true, std::memory_order_relaxed);
  left_.store(0, std::memory_order_release);
}

}  // namespace graphrun::runtime
