/// \file
/// Runs graphs: variables, plans, one workspace, one set of threads. No globals, no output, no signals. A
/// Session is used from one thread at a time; several sessions run at once in several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "runtime/execute/arrivals.hpp"
#include "runtime/execute/fetch_observer.hpp"
#include "runtime/kernels/kernel.hpp"
#include "runtime/lower/plan.hpp"
#include "runtime/state/variables.hpp"

namespace graphrun::runtime {

enum class ExecutorKind { tbb, threads, serial };

struct SessionOptions {
  int threads = 0;  ///< 0: as many as the process may use. More threads than cores only with `threads`.
  ExecutorKind executor = ExecutorKind::tbb;
  /// A tbb::task_arena of the caller's for ExecutorKind::tbb, which outlives the session: its threads run the
  /// tasks. Null: an arena of the session's own.
  void* tbb_arena = nullptr;
  /// Refuse a plan that needs more workspace: Error{memory}. By default what the machine has.
  std::optional<std::size_t> max_bytes;
  LoweringOptions lowering;        ///< which optimisations are on
  Pages pages = Pages::large;      ///< of variables and workspace
  bool poison_workspace = false;   ///< fill it with NaN before each run (tests)
  bool share_small_plans = false;  ///< also where handing tasks on costs more than it brings (tests)
  /// Called on the thread that runs a task, before it, with the task's number; it must not throw. For tests
  /// and tracing.
  std::function<void(std::size_t)> before_task;
};

/// One value handed in: `bytes` are the dense row-major elements of an input node's dtype, and stay where
/// they are until the run ends. What the program does not need is left aside.
struct Feed {
  std::string name;
  std::span<const std::byte> bytes;
};

/// One named output copied out when the run has ended: `bytes` has room for exactly its elements. An output
/// that is a variable gives its new value.
struct Fetch {
  std::string name;
  std::span<std::byte> bytes;
};

/// Work that has nothing to do with a run but may be done while it lasts, by a thread that would wait.
class SideWork {
 public:
  virtual ~SideWork() = default;
  virtual void run() noexcept = 0;
};

/// When a unit of a plan ran, by std::chrono::steady_clock, and by which worker.
struct UnitTime {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;  ///< 0: it did not run
  std::uint32_t worker = 0;
};

struct Run {
  std::int64_t batch = 0;
  std::span<const Feed> feeds;
  std::span<const Fetch> fetches;
  RandomState random;
  std::stop_token stop;
  SideWork* side = nullptr;           ///< done when the run returns, also when it throws what the run came to
  FetchObserver* observer = nullptr;  ///< told of each fetch once it is made; null: nobody asks
  Arrivals* arrivals = nullptr;       ///< asked for each variable before it is used; null: all are there
};

using ProgramId = std::size_t;

/// So many batch sizes of a program have a plan at once: more than a caller with a system has.
inline constexpr std::size_t most_plans_of_a_program = 32;

class Session {
 public:
  Session(const OpRegistry& ops, const KernelRegistry& kernels, SessionOptions options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Adds a graph in executable form: no `grad`, no mode nodes, all passes done. Declares the variables it
  /// names (a name that is already there must have the same shape).
  ProgramId add(std::shared_ptr<const Graph> graph);

  /// Lowers the program for a batch size ahead of its first run. The plan is kept, and the reference valid,
  /// until most_plans_of_a_program other sizes of the program have been used after it.
  const Plan& prepare(ProgramId program, std::int64_t batch);

  /// How many threads run tasks.
  std::size_t threads() const;

  /// Who runs products, as it was asked for.
  ProviderChoice provider() const;

  /// Of products; f32 when nothing was asked for.
  Precision precision() const;

  /// New values of variables are on their way: all that looks at variables here, and each run that does not
  /// ask for single ones (Run::arrivals), waits for all of them first, and throws what that throws. What was
  /// expected before is waited for now. Null: nothing is expected.
  void expect(std::shared_ptr<Arrivals> arrivals);

  VariableStore& variables();
  const VariableStore& variables() const;

  /// Runs all effects and the fetched outputs. A program with effects is all or nothing: when the run is
  /// stopped (Error{cancelled}) or a value that the updates wait for is not finite (Error{not_finite}, naming
  /// the first node that made one), no variable has changed. A run that returns may have met a gradient that
  /// is not finite: see spoilt().
  void run(ProgramId program, const Run& run);

  /// While `times` is not null, each run of the program leaves there the times of its plan's units, by their
  /// numbers. Costs a look at the clock before and after each unit; nothing when it is off.
  void time_units(ProgramId program, std::vector<UnitTime>* times);

  /// The first variable whose update met a gradient that was not finite, or of a step that failed after its
  /// first update: such state is not to be saved, until other values were put in its place and that was said.
  /// Null when there is none.
  const std::string* spoilt() const noexcept;
  /// The same was found elsewhere, of this variable. Nothing changes when something is spoilt already.
  void note_spoilt(std::shared_ptr<const std::string> variable) noexcept;
  void forget_spoilt() noexcept;

  /// Gives the memory that runs compute in back to the system, for a caller who needs much of his own and
  /// runs little meanwhile; the next run takes again what it touches.
  void give_back_workspace();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace graphrun::runtime
