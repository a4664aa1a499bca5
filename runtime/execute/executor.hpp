/// \file
/// What runs the tasks of a plan, each after all it depends on. Every executor calls the same run_task, so
/// the results are the same bits.
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

/// On the calling thread, in the order of the plan.
std::unique_ptr<Executor> make_serial_executor();
/// Plain std::thread and one lock: what ThreadSanitizer understands, and more threads than cores.
/// Throws std::system_error when a thread cannot be started.
std::unique_ptr<Executor> make_threads_executor(std::size_t threads);
/// A TBB flow graph a plan, in an arena of its own of at most as many threads as there are cores. The threads
/// have started when it returns. Throws std::exception when they cannot.
std::unique_ptr<Executor> make_tbb_executor(std::size_t threads);

/// All tasks of a plan, in its order, by worker 0; then `side`.
void run_serially(const Plan& plan, TaskRunner& runner, SideWork* side) noexcept;

/// Whether TBB may run tasks. Where it is built without ThreadSanitizer but its caller with it, all that it
/// hands from thread to thread is reported, and what suppresses these reports hides real races too. Plain
/// threads stand in for it there: every test and program then runs with threads that the sanitizer sees.
#if defined(__SANITIZE_THREAD__) && !defined(GRAPHRUN_INSTRUMENTED_TBB)
inline constexpr bool tbb_may_run = false;
#else
inline constexpr bool tbb_may_run = true;
#endif

}  // namespace graphrun::runtime
