#include "bench/ruler/fma_peak.hpp"

#include <immintrin.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "runtime/machine/isa.hpp"

namespace graphrun::bench {

namespace {

// Ten independent chains cover the latency of two units of four or five cycles.
constexpr int chains = 10;
constexpr std::int64_t rounds_per_call = 20'000;

// Each function returns a value that depends on all of its work, so that none of it is left out.

__attribute__((target("avx512f"))) float spin_avx512() {
  __m512 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 factor = _mm512_set1_ps(0.999F);
  const __m512 term = _mm512_set1_ps(1e-3F);
  for (std::int64_t round = 0; round < rounds_per_call; ++round)
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factor, term);
  __m512 total = sums[0];
  for (int i = 1; i < chains; ++i) total = _mm512_add_ps(total, sums[i]);
  return _mm512_cvtss_f32(total);
}

__attribute__((target("avx2,fma"))) float spin_avx2() {
  __m256 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 factor = _mm256_set1_ps(0.999F);
  const __m256 term = _mm256_set1_ps(1e-3F);
  for (std::int64_t round = 0; round < rounds_per_call; ++round)
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factor, term);
  __m256 total = sums[0];
  for (int i = 1; i < chains; ++i) total = _mm256_add_ps(total, sums[i]);
  return _mm256_cvtss_f32(total);
}

float spin_baseline() {
  __m128 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm_set1_ps(static_cast<float>(i));
  const __m128 factor = _mm_set1_ps(0.999F);
  const __m128 term = _mm_set1_ps(1e-3F);
  for (std::int64_t round = 0; round < rounds_per_call; ++round)
    for (__m128& sum : sums) sum = _mm_add_ps(_mm_mul_ps(sum, factor), term);
  __m128 total = sums[0];
  for (int i = 1; i < chains; ++i) total = _mm_add_ps(total, sums[i]);
  return _mm_cvtss_f32(total);
}

struct Spin {
  float (*run)();
  int lanes;
};

Spin spin_of(runtime::Isa isa) {
  switch (isa) {
    case runtime::Isa::avx512:
      return {spin_avx512, 16};
    case runtime::Isa::avx2:
      return {spin_avx2, 8};
    case runtime::Isa::baseline:
      break;
  }
  return {spin_baseline, 4};
}

}  // namespace

double measure_fma_peak(int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  const Spin spin = spin_of(runtime::detected_isa());
  std::atomic<std::int64_t> calls{0};
  std::atomic<float> sink{0};
  const Clock::time_point start = Clock::now();
  const auto work = [&] {
    while (std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
      sink.store(spin.run(), std::memory_order_relaxed);
      calls.fetch_add(1, std::memory_order_relaxed);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < threads; ++i) workers.emplace_back(work);
    work();
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  const double flop = 2.0 * spin.lanes * chains * static_cast<double>(rounds_per_call);
  return static_cast<double>(calls.load()) * flop / elapsed / 1e9;
}

}  // namespace graphrun::bench
