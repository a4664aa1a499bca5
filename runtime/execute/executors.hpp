/// \file
/// The executors there are, and which of them may run.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/execute/executor.hpp"

namespace graphrun::runtime {

/// On the calling thread, in the order of the plan.
std::unique_ptr<Executor> make_serial_executor();
/// Plain std::thread and one lock: what ThreadSanitizer understands, and more threads than cores.
/// Throws std::system_error when a thread cannot be started.
std::unique_ptr<Executor> make_threads_executor(std::size_t threads);
/// A TBB flow graph a plan, in an arena of its own of at most as many threads as there are cores. The threads
/// have started when it returns. Throws std::exception when they cannot.
std::unique_ptr<Executor> make_tbb_executor(std::size_t threads);
/// The same in a tbb::task_arena of the caller's, with as many threads as that has. What else waits there
/// may be run by the calling thread while it waits.
std::unique_ptr<Executor> make_tbb_executor(void* arena);

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
