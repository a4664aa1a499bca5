#include "bench/ruler/memory_rate.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace graphrun::bench {

namespace {

/// A stretch has three arrays, as weights and the slots of Adam are.
constexpr std::size_t floats_of_array = std::size_t{1} << 19;
constexpr std::size_t stretch_bytes = 3 * floats_of_array * sizeof(float);

/// Of these the last cache holds a quarter.
std::size_t stretches() {
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  const std::size_t bytes = std::clamp<std::size_t>(4 * static_cast<std::size_t>(std::max(0L, cache)),
                                                    std::size_t{96} << 20, std::size_t{512} << 20);
  return bytes / stretch_bytes;
}

void go_over(float* first) {
  float* const second = first + floats_of_array;
  float* const third = second + floats_of_array;
  for (std::size_t i = 0; i < floats_of_array; ++i) {
    first[i] = 0.9F * first[i] + 0.001F;
    second[i] = 0.99F * second[i] + 0.0001F;
    third[i] -= first[i] * second[i];
  }
}

}  // namespace

MemoryRuler::MemoryRuler() {
  for (std::size_t i = 0; i < stretches(); ++i) stretches_.emplace_back(stretch_bytes, i);
}

MemoryRates MemoryRuler::measure(int threads, double seconds) {
  const double alone = together(1, threads == 1 ? seconds : seconds / 2);
  return {alone, threads == 1 ? alone : together(static_cast<std::size_t>(threads), seconds / 2)};
}

/// Each thread goes over stretches of its own again and again.
double MemoryRuler::together(std::size_t threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  const std::size_t share = std::max<std::size_t>(1, stretches_.size() / threads);
  std::atomic<std::int64_t> done{0};
  const Clock::time_point start = Clock::now();
  const auto work = [&](std::size_t thread) {
    for (std::size_t i = 0; std::chrono::duration<double>(Clock::now() - start).count() < seconds; ++i) {
      go_over(stretches_[(thread * share + i % share) % stretches_.size()].floats());
      done.fetch_add(1, std::memory_order_relaxed);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (std::size_t thread = 1; thread < threads; ++thread) workers.emplace_back(work, thread);
    work(0);
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  return 2.0 * static_cast<double>(done.load()) * static_cast<double>(stretch_bytes) / elapsed / 1e9;
}

MemoryRates measure_memory(int threads, double seconds) {
  return MemoryRuler().measure(threads, seconds);
}

}  // namespace graphrun::bench
