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

class Executor {
 public:
  virtual ~Executor() = default;
  /// Worker numbers are below this.
  virtual std::size_t workers() const = 0;
  /// Sets a plan up ahead of its first run; it must live as long as the executor, or until it is forgotten.
  virtual void prepare(const Plan& plan) = 0;
  virtual void forget(const Plan& /*plan*/) {}
  /// Runs all tasks, and `side` if there is one where no task is ready for a thread, and returns when all
  /// have ended. The calling thread works too.
  virtual void run(const Plan& plan, TaskRunner& runner, SideWork* side = nullptr) = 0;
};

/// On the calling thread, in the order of the plan.
std::unique_ptr<Executor> make_serial_executor();
/// Plain std::thread and one lock: what ThreadSanitizer understands, and more threads than cores.
std::unique_ptr<Executor> make_threads_executor(std::size_t threads);
/// A TBB flow graph a plan, in an arena of its own of at most as many threads as there are cores.
std::unique_ptr<Executor> make_tbb_executor(std::size_t threads);

/// Whether TBB may run tasks. Where it is built without ThreadSanitizer but its caller with it, all that it
/// hands from thread to thread is reported, and what suppresses these reports hides real races too. Plain
/// threads stand in for it there: every test and program then runs with threads that the sanitizer sees.
#if defined(__SANITIZE_THREAD__) && !defined(GRAPHRUN_INSTRUMENTED_TBB)
inline constexpr bool tbb_may_run = false;
#else
inline constexpr bool tbb_may_run = true;
#endif

/// How many threads the process may use.
std::size_t available_threads();

}  // namespace graphrun::runtime
