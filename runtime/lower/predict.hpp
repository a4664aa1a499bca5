/// \file
/// How long a plan would take on so many cores, by the cost model that it was made with: what `graphrun plan
/// --cores` prints. Nothing is measured and nothing runs.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/lower/plan.hpp"

namespace graphrun::runtime {

/// A step's time on cores of their own: tasks are given out in the order in which they can run, as executors
/// do, and those that run at once share the memory, which takes at least what the step moves.
struct Prediction {
  double tasks_ns = 0;   ///< until the last task ends
  double memory_ns = 0;  ///< for what must be read and written
  double step_ns() const { return tasks_ns > memory_ns ? tasks_ns : memory_ns; }
  bool bound_by_memory() const { return memory_ns > tasks_ns; }
};

/// What a prediction assumes of a machine.
struct MachineRates {
  double peak = 100;           ///< GFLOP/s of one core, as `graphrun bench` prints it for one thread
  double bandwidth = 100;      ///< GB/s of the memory, for all cores together
  double core_bandwidth = 30;  ///< of that, what one core reaches alone: read and written by an optimizer
};

Prediction predict_step(const Plan& plan, std::size_t cores, const MachineRates& rates);

/// Nanoseconds of a step whose tasks take so long each, whatever runs beside them: what a step would take
/// that nothing disturbs, of tasks that were measured.
double schedule_ns(const Plan& plan, std::size_t cores, std::span<const double> task_ns);

}  // namespace graphrun::runtime
