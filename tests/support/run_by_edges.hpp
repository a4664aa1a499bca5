/// \file
/// Runs every task of a plan on a thread of its own that knows of the others by the plan's edges alone: no
/// queue and no lock orders tasks by chance, as in an executor. Where an edge is missing, ThreadSanitizer
/// sees a race whatever the timing, and without it the results are likely wrong.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "runtime/execute/executor.hpp"
#include "runtime/lower/plan.hpp"
#include "runtime/machine/host_state.hpp"

namespace graphrun::testing {

struct Edge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};

inline std::vector<Edge> edges_of(const runtime::Plan& plan) {
  std::vector<Edge> edges;
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
    const runtime::Task& record = plan.tasks[task];
    for (std::uint32_t i = 0; i < record.successors; ++i)
      edges.push_back({task, plan.successors[record.first_successor + i]});
  }
  return edges;
}

/// The worker number of a task is its own number: each needs its own scratch.
inline void run_by_edges(std::size_t tasks, std::span<const Edge> edges, runtime::TaskRunner& runner) {
  std::vector<std::vector<std::uint32_t>> before(tasks);
  for (const Edge& edge : edges) before[edge.to].push_back(edge.from);
  std::vector<std::atomic<bool>> done(tasks);
  std::vector<std::jthread> threads;
  for (std::uint32_t task = 0; task < tasks; ++task) {
    threads.emplace_back([&, task] {
      const runtime::HostState state;
      for (const std::uint32_t other : before[task])
        while (!done[other].load(std::memory_order_acquire))
          std::this_thread::sleep_for(std::chrono::microseconds(20));
      runner.run_task(task, task);
      done[task].store(true, std::memory_order_release);
    });
  }
}

}  // namespace graphrun::testing
