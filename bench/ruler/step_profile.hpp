/// \file
/// Where the time of a training step goes: which node takes how long, and what each worker does when.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/ruler/benchmark.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::bench {

/// All that one group of nodes does in a step: its parts in all slices.
struct OpTime {
  std::string kind;  ///< "product", or the op of its last node
  std::string node;  ///< the last node it computes, which names it
  std::size_t units = 0;
  double us = 0;      ///< of one step, on all workers together; median over the steps
  double gflops = 0;  ///< of a product, on the worker that runs it; else 0
};

/// One unit in one step: a kernel on a range of rows.
struct TracedUnit {
  std::uint32_t step = 0;
  std::uint32_t task = 0;
  std::uint32_t worker = 0;
  std::int64_t begin_ns = 0;  ///< since the first step began
  std::int64_t end_ns = 0;
  std::string name;       ///< node and kind
  std::string primitive;  ///< what a provider calls what it runs; empty: kernels of our own
  std::int64_t row_begin = 0;
  std::int64_t row_count = 0;
};

struct StepProfile {
  int threads = 0;
  std::int64_t batch = 0;
  double step_us = 0;       ///< median of the timed steps, which looking at the clock makes a little longer
  std::vector<OpTime> ops;  ///< the longest first
  double idle_us = 0;       ///< of all workers in one step: waiting, and handing on tasks
  std::vector<TracedUnit> trace;                      ///< of the last steps, in the order of the plan
  std::vector<std::vector<std::uint32_t>> waits_for;  ///< of each task: the tasks that must end before it
};

/// Times every unit for options.seconds. Of a model that takes several steps with a batch, the first.
StepProfile profile_step(std::shared_ptr<const ModelDefinition> model, const BenchmarkOptions& options);

}  // namespace graphrun::bench
