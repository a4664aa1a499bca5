/// \file
/// How long a training step takes, beside the floor of this machine. Measured in turns in one run, so that a
/// noisy host hits both, with the machine's peak before and after; a run during which the peak moved is
/// repeated.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/ruler/fma_peak.hpp"
#include "bench/ruler/memory_rate.hpp"
#include "bench/ruler/optimisations.hpp"
#include "bench/ruler/step_meter.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::bench {

struct BenchmarkOptions {
  std::optional<std::int64_t> batch;  ///< instead of the model's
  Tuning tuning;
  double seconds = 2;  ///< spent on steps; about as much again on the floor
  /// If somebody counts them: allocations of the process so far.
  AllocationCount allocation_count = nullptr;
  int most_runs = 3;  ///< of which all but the last are thrown away, because the peak moved
  /// GFLOP/s on so many threads, measured for so many seconds.
  std::function<double(int, double)> measure_peak = measure_fma_peak;
  std::function<MemoryRates(int, double)> measure_memory = bench::measure_memory;  ///< the same of the memory
};

/// By so much the peak may move during a run.
inline constexpr double steady_peak = 0.05;

struct BenchmarkResult {
  int threads = 0;
  std::int64_t batch = 0;
  std::string isa;
  std::string provider;
  std::string precision;  ///< of the step; the floor is that of f32, by which two precisions are compared
  StepTimes step;
  double matmul_floor_us = 0;       ///< sum over all products of the step, each the best of several runs
  double convolution_floor_us = 0;  ///< the same of the convolutions
  double update_floor_us = 0;       ///< one pass of the optimizer over all parameters, best of several
  double flop_per_step = 0;         ///< of products and convolutions
  double peak_gflops_before = 0;
  double peak_gflops_after = 0;
  MemoryRates memory_gbytes;
  /// What the plan's cost model says of a machine of this peak and memory; nothing where steps alternate.
  std::optional<double> predicted_us;
  int runs = 1;  ///< until the peak held still
  // If somebody counts them.
  std::optional<double> allocations_per_step;          ///< graphrun's own
  std::optional<double> library_allocations_per_step;  ///< oneDNN's, as counted when its products run alone

  double floor_us() const { return matmul_floor_us + convolution_floor_us + update_floor_us; }
  double ratio() const { return step.median_us / floor_us(); }
  double gflops() const { return flop_per_step / step.median_us / 1e3; }
  double steps_per_s() const { return 1e6 / step.median_us; }
  double images_per_s() const { return static_cast<double>(batch) * steps_per_s(); }
  double peak_change() const { return peak_gflops_after / peak_gflops_before - 1; }
};

/// Steps on random pixels, of the model's first phase.
BenchmarkResult run_benchmark(std::shared_ptr<const ModelDefinition> model, const BenchmarkOptions& options);

/// A step with one optimisation off, beside the step with all that the tuning leaves on.
struct AblationResult {
  std::string without;  ///< empty: the step that the others are held against
  double median_us = 0;
  double best_us = 0;
  double ratio = 1;       ///< median over the turns of this step by the other of the same turn
  bool same_bits = true;  ///< whether the weights after some steps are the same bits
  std::size_t workspace_bytes = 0;
};

/// Each optimisation switched off in turn, measured in turns in one run. The first result has none off.
std::vector<AblationResult> run_ablation(std::shared_ptr<const ModelDefinition> model,
                                         const BenchmarkOptions& options);

}  // namespace graphrun::bench
