#include "runtime/execute/shared_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#include "errors/lack_of_memory.hpp"
#include "runtime/execute/executors.hpp"
#include "runtime/execute/feeds.hpp"
#include "runtime/execute/plan_run.hpp"
#include "runtime/execute/pool.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/machine/resources.hpp"

namespace graphrun::runtime {

std::uint64_t next_variables_version() noexcept {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

class SharedProgram::Implementation {
 public:
  Implementation(std::shared_ptr<const Graph> graph, const KernelRegistry& kernels, SessionOptions options)
      : graph_(std::move(graph)),
        kernels_(kernels),
        options_(std::move(options)),
        serial_(make_serial_executor()) {
    if (!options_.max_bytes) options_.max_bytes = available_memory();
    options_.lowering.max_bytes = options_.max_bytes;
  }

  void prepare(const SharedVariables& variables, std::int64_t batch, std::size_t runs) {
    const std::shared_ptr<const Plan> plan = plan_for(batch);
    rooms_.prepare(runs, new_room, [&](Room& room) { kept_in(room, plan, batch, variables); });
  }

  void run(const SharedVariables& variables, const Run& run) {
    const Pool<Room>::Lease room = rooms_.take(new_room);
    const bool known = room->runs.contains(run.batch);
    Kept& kept = kept_in(*room, known ? nullptr : plan_for(run.batch), run.batch, variables);
    PlanRun& plan_run = *kept.run;
    bind_feeds(plan_run, run.feeds);
    check_fetches(plan_run.plan(), run.fetches);
    {
      const HostState state;
      plan_run.start(run.random, run.stop);
      kept.tasks->run(plan_run, nullptr);
    }
    if (plan_run.outcome() == Outcome::cancelled) throw Error(ErrorCode::cancelled, "the run was stopped");
    if (plan_run.outcome() != Outcome::done)
      throw Error(ErrorCode::memory, "oneDNN could not run a product: there is not enough memory");
    copy_fetches(plan_run, run.fetches);
  }

 private:
  /// A plan, bound to one room's memory.
  struct Kept {
    std::unique_ptr<PlanRun> run;
    std::unique_ptr<PreparedPlan> tasks;  ///< ends before the plan
    std::uint64_t variables = 0;          ///< their version
    std::uint64_t used = 0;               ///< the larger, the later
  };

  /// What one run at a time has for itself.
  struct Room {
    AlignedBytes workspace;
    std::size_t workspace_bytes = 0;
    WorkerSpace worker;
    std::map<std::int64_t, Kept> runs;  ///< by batch size
    std::uint64_t uses = 0;
  };

  static std::unique_ptr<Room> new_room() { return std::make_unique<Room>(); }

  /// One thread lowers, the others take what it made.
  std::shared_ptr<const Plan> plan_for(std::int64_t batch) {
    const std::lock_guard lock(plans_mutex_);
    const auto known = plans_.find(batch);
    if (known != plans_.end()) return known->second;
    const HostState state;
    const auto plan = [&] {
      if (plans_.size() == most_plans_of_a_program) plans_.erase(plans_.begin());
      return plans_.emplace(batch, lower(graph_, batch, kernels_, options_.lowering)).first->second;
    };
    return saying_what_lacks(plan, [&] {
      return Error(ErrorCode::memory,
                   fmt::format("there is not enough memory to plan {} rows; fewer need less", batch));
    });
  }

  Kept& kept_in(Room& room, const std::shared_ptr<const Plan>& plan, std::int64_t batch,
                const SharedVariables& variables) {
    auto found = room.runs.find(batch);
    if (found == room.runs.end()) found = room.runs.emplace(batch, bound(room, plan, variables)).first;
    Kept& kept = found->second;
    kept.used = ++room.uses;
    if (kept.variables != variables.version) {
      kept.run->bind_variables(*variables.store);
      kept.variables = variables.version;
    }
    return kept;
  }

  Kept bound(Room& room, const std::shared_ptr<const Plan>& plan, const SharedVariables& variables) {
    const HostState state;
    Kept kept;
    kept.run = std::make_unique<PlanRun>(plan, *variables.store);
    kept.variables = variables.version;
    grow(room, plan->statistics);
    kept.run->bind_memory(room.workspace.get(), std::span(&room.worker, 1));
    kept.tasks = serial_->prepare(*plan);
    if (room.runs.size() == most_plans_of_a_program)
      room.runs.erase(
          std::ranges::min_element(room.runs, {}, [](const auto& entry) { return entry.second.used; }));
    return kept;
  }

  void grow(Room& room, const PlanStatistics& statistics) {
    const std::size_t workspace = std::max(room.workspace_bytes, statistics.workspace_bytes);
    const std::size_t scratch = std::max(room.worker.bytes, statistics.scratch_bytes_per_worker);
    if (workspace + scratch > *options_.max_bytes)
      throw Error(ErrorCode::memory,
                  fmt::format("a run needs {} bytes of workspace, and {} are allowed; fewer rows need less",
                              workspace + scratch, *options_.max_bytes));
    const bool more_workspace = workspace > room.workspace_bytes || !room.workspace;
    const bool more_scratch = scratch > room.worker.bytes || !room.worker.scratch;
    AlignedBytes new_workspace = more_workspace ? allocate_aligned(workspace, options_.pages) : nullptr;
    AlignedBytes new_scratch = more_scratch ? allocate_aligned(scratch, options_.pages) : nullptr;
    if (more_workspace) {
      room.workspace = std::move(new_workspace);
      room.workspace_bytes = workspace;
    }
    if (more_scratch) room.worker = {std::move(new_scratch), scratch};
    for (auto& [batch, kept] : room.runs)
      kept.run->move_memory(room.workspace.get(), std::span(&room.worker, 1));
  }

  std::shared_ptr<const Graph> graph_;
  const KernelRegistry& kernels_;
  SessionOptions options_;
  std::unique_ptr<Executor> serial_;
  std::mutex plans_mutex_;
  std::map<std::int64_t, std::shared_ptr<const Plan>> plans_;
  Pool<Room> rooms_;
};

SharedProgram::SharedProgram(std::shared_ptr<const Graph> graph, const KernelRegistry& kernels,
                             SessionOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(graph), kernels, std::move(options))) {}
SharedProgram::~SharedProgram() = default;

void SharedProgram::prepare(const SharedVariables& variables, std::int64_t batch, std::size_t runs) {
  implementation_->prepare(variables, batch, runs);
}

void SharedProgram::run(const SharedVariables& variables, const Run& run) {
  implementation_->run(variables, run);
}

}  // namespace graphrun::runtime
