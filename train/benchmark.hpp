/// \file
/// How long a training step takes, beside the floor of this machine: what its matrix products and one pass of
/// the optimizer cost when each runs alone, on one core. Measured in turns in one run, so that a noisy host
/// hits both. The floor does not depend on how a plan slices or fuses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "graph/model.hpp"
#include "runtime/session.hpp"

namespace graphrun::train {

struct BenchmarkOptions {
  std::optional<std::int64_t> batch;  ///< instead of the model's
  runtime::SessionOptions session;
  double seconds = 2;  ///< spent on steps; about as much again on the floor
  /// Heap allocations of the process so far, if somebody counts them.
  std::uint64_t (*allocation_count)() noexcept = nullptr;
};

struct StepTimes {
  double median_us = 0;
  double best_us = 0;
  double p95_us = 0;
};

struct BenchmarkResult {
  int threads = 0;
  std::int64_t batch = 0;
  std::string isa;
  StepTimes step;
  double matmul_floor_us = 0;  ///< sum over all products of the step, each the best of several runs
  double update_floor_us = 0;  ///< the optimizer's kernels over all parameters
  double flop_per_step = 0;    ///< of the products
  double peak_gflops_before = 0;
  double peak_gflops_after = 0;
  double allocations_per_step = 0;          ///< graphrun's own
  double library_allocations_per_step = 0;  ///< oneDNN's, as counted when its products run alone

  double floor_us() const { return matmul_floor_us + update_floor_us; }
  double ratio() const { return step.median_us / floor_us(); }
  double gflops() const { return flop_per_step / step.median_us / 1e3; }
  double images_per_s() const { return static_cast<double>(batch) / step.median_us * 1e6; }
};

/// Runs steps on random pixels.
BenchmarkResult run_benchmark(std::shared_ptr<const ModelDefinition> model, const BenchmarkOptions& options);

}  // namespace graphrun::train
