/// \file
/// What runs the tasks of a plan, each after all it depends on. Every executor calls the same run_task, so
/// the results are the same bits. Those there are: executors.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/execute/session.hpp"
#include "runtime/lower/plan.hpp"

namespace graphrun::runtime {

/// What an executor calls: from several threads at once, each with its own worker number.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  virtual void run_task(std::uint32_t task, std::size_t worker) noexcept = 0;
};

/// A plan that an executor is set up for. It ends before the executor and the plan.
class PreparedPlan {
 public:
  virtual ~PreparedPlan() = default;
  /// Runs all tasks, and `side` if there is one where no task is ready for a thread, and returns when all
  /// have ended. The calling thread works too, alone where the others fail: a step that has begun is not
  /// left half done.
  virtual void run(TaskRunner& runner, SideWork* side) noexcept = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  /// Worker numbers are below this.
  virtual std::size_t workers() const = 0;
  /// All that a run of the plan allocates. Throws std::bad_alloc.
  virtual std::unique_ptr<PreparedPlan> prepare(const Plan& plan) = 0;
};

}  // namespace graphrun::runtime
