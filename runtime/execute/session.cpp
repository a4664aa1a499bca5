#include "runtime/execute/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "errors/lack_of_memory.hpp"
#include "runtime/execute/executors.hpp"
#include "runtime/execute/feeds.hpp"
#include "runtime/execute/plan_run.hpp"
#include "runtime/execute/replay.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/machine/resources.hpp"

namespace graphrun::runtime {
namespace {

std::size_t thread_count(const SessionOptions& options) {
  if (options.threads < 0) {
    throw Error(ErrorCode::usage, fmt::format("the number of threads must not be {}", options.threads));
  }
  return options.threads == 0 ? available_threads() : static_cast<std::size_t>(options.threads);
}

std::unique_ptr<Executor> make_executor(const SessionOptions& options) {
  std::size_t threads = thread_count(options);
  if (options.executor == ExecutorKind::serial) return make_serial_executor();
  try {
    if (options.executor == ExecutorKind::threads) return make_threads_executor(threads);
    if (options.tbb_arena != nullptr && tbb_may_run) return make_tbb_executor(options.tbb_arena);
    threads = std::min(threads, available_threads());
    if (threads == 1) return make_serial_executor();
    return tbb_may_run ? make_tbb_executor(threads) : make_threads_executor(threads);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // of the standard library or of TBB
    throw Error(ErrorCode::memory, fmt::format("the system does not start {} threads ({}); fewer may do",
                                               threads, error.what()));
  }
}

SessionOptions with_limit(SessionOptions options) {
  if (!options.max_bytes) options.max_bytes = available_memory();
  options.lowering.max_bytes = options.max_bytes;
  return options;
}

}  // namespace

class Session::Implementation {
 public:
  Implementation(const KernelRegistry& kernels, SessionOptions options)
      : kernels_(kernels),
        options_(with_limit(std::move(options))),
        variables_(options_.pages),
        executor_(make_executor(options_)),
        serial_(make_serial_executor()),
        workers_(executor_->workers()) {
    options_.lowering.workers = workers_.size();
  }

  ProgramId add(std::shared_ptr<const Graph> graph) {
    const std::size_t before = variables_.size();
    try {
      declare_variables(*graph);
      graphs_.push_back(std::move(graph));
    } catch (...) {
      variables_.shrink(before);
      throw;
    }
    return graphs_.size() - 1;
  }

  /// A plan with all that its runs need.
  struct KeptPlan {
    std::unique_ptr<PlanRun> run;
    std::unique_ptr<PreparedPlan> tasks;  ///< ends before the plan
    std::uint64_t used = 0;               ///< the larger, the later
  };

  KeptPlan& prepare(ProgramId program, std::int64_t batch) {
    if (program >= graphs_.size()) {
      throw Error(ErrorCode::usage, fmt::format("there is no program {}", program));
    }
    const auto known = runs_.find({program, batch});
    if (known != runs_.end()) {
      known->second.used = ++uses_;
      return known->second;
    }
    const auto lack = [&] {
      return Error(
          ErrorCode::memory,
          fmt::format("there is not enough memory to plan a batch of {}; a smaller one needs less", batch));
    };
    return saying_what_lacks([&]() -> KeptPlan& { return add_plan(program, batch); }, lack);
  }

  void run(ProgramId program, const Run& run) {
    if (run.arrivals == nullptr) expect(nullptr);
    KeptPlan& kept = prepare(program, run.batch);
    PlanRun& plan_run = *kept.run;
    const Plan& plan = plan_run.plan();
    require_values(plan);
    bind_feeds(plan_run, run.feeds);
    check_fetches(plan, run.fetches);
    if (options_.poison_workspace) poison();
    {
      const HostState state;
      hand_out(plan_run, run);
      plan_run.expect(run.arrivals);
      plan_run.start(run.random, run.stop, times_for(program, plan));
      kept.tasks->run(plan_run, run.side);
    }
    // From here on nothing may fail but what says that the step was not taken, or spoilt the variables.
    note_spoilt(plan_run);
    if (plan_run.outcome() != Outcome::done) explain(graphs_[program], run, plan_run.outcome());
    plan_run.wait_for_outputs();
    copy_fetches(plan_run, run.fetches);
  }

  void time_units(ProgramId program, std::vector<UnitTime>* times) { times_[program] = times; }

  const std::string* spoilt() const noexcept { return spoilt_.get(); }
  void note_spoilt(std::shared_ptr<const std::string> variable) noexcept {
    if (!spoilt_) spoilt_ = std::move(variable);
  }
  void forget_spoilt() noexcept { spoilt_.reset(); }

  void give_back_workspace() {
    if (workspace_) give_back(workspace_.get(), workspace_bytes_);
    for (const WorkerSpace& worker : workers_) {
      if (worker.scratch) give_back(worker.scratch.get(), worker.bytes);
    }
  }

  /// What throws is expected still: nobody takes the values for whole afterwards.
  void expect(std::shared_ptr<Arrivals> arrivals) {
    if (arrivals_ == arrivals) return;
    if (arrivals_ != nullptr) arrivals_->wait_for_all();
    arrivals_ = std::move(arrivals);
  }

  VariableStore& variables() {
    expect(nullptr);
    return variables_;
  }
  std::size_t threads() const { return executor_->workers(); }
  ProviderChoice provider() const { return options_.lowering.provider; }
  Precision precision() const { return options_.lowering.precision.value_or(Precision::f32); }

 private:
  void declare_variables(const Graph& graph) {
    for (const Node& node : graph.nodes()) {
      if (!node.op->traits.variable) continue;
      const AttributeValue* trainable = node.attributes.find("trainable");
      variables_.declare(node.name, graphrun::bind(node.type.shape, 1), node.attributes.initializer("init"),
                         trainable == nullptr || std::get<bool>(*trainable));
    }
  }

  KeptPlan& add_plan(ProgramId program, std::int64_t batch) {
    const HostState state;
    auto lowered = lower(graphs_[program], batch, kernels_, options_.lowering);
    KeptPlan made{.run = std::make_unique<PlanRun>(std::move(lowered), variables_), .tasks = {}};
    const Plan& plan = made.run->plan();
    reserve(plan.statistics);
    made.run->bind_memory(workspace_.get(), workers_);
    made.run->set_before_task(options_.before_task);
    made.tasks = executor_for(plan).prepare(plan);
    made.used = ++uses_;
    make_room_for_plan(program);
    return runs_.emplace(std::pair(program, batch), std::move(made)).first->second;
  }

  /// Handing tasks to other threads pays only when there is enough to do; the bits are the same. Plain
  /// threads always share: that executor is for tests of sharing.
  Executor& executor_for(const Plan& plan) {
    const bool share = options_.share_small_plans || options_.executor == ExecutorKind::threads;
    return plan.serial && !share ? *serial_ : *executor_;
  }

  /// A host that comes with another batch size each time does not fill the memory with plans.
  void make_room_for_plan(ProgramId program) {
    const auto begin = runs_.lower_bound({program, 0});
    const auto end = runs_.lower_bound({program + 1, 0});
    if (static_cast<std::size_t>(std::distance(begin, end)) < most_plans_of_a_program) return;
    const auto oldest = std::min_element(
        begin, end, [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    runs_.erase(oldest);
  }

  // ---- Memory ----

  void reserve(const PlanStatistics& statistics) {
    const std::size_t workspace = std::max(workspace_bytes_, statistics.workspace_bytes);
    const std::size_t scratch = std::max(workers_.front().bytes, statistics.scratch_bytes_per_worker);
    const std::size_t total = workspace + scratch * workers_.size();
    if (total > *options_.max_bytes) {
      throw Error(
          ErrorCode::memory,
          fmt::format("the run needs {} bytes of workspace, and {} are allowed; a smaller batch needs less",
                      total, *options_.max_bytes));
    }
    saying_what_lacks([&] { grow(workspace, scratch); },
                      [&] {
                        return Error(ErrorCode::memory,
                                     fmt::format("there are no {} bytes of memory for the workspace; a "
                                                 "smaller batch needs less",
                                                 total));
                      });
  }

  /// The plans that there are move to the larger memory once all of it is there.
  void grow(std::size_t workspace, std::size_t scratch) {
    AlignedBytes larger_workspace;
    if (workspace > workspace_bytes_ || !workspace_) {
      larger_workspace = allocate_aligned(workspace, options_.pages);
    }
    std::vector<WorkerSpace> larger_scratch;
    if (scratch > workers_.front().bytes || !workers_.front().scratch) {
      for (std::size_t i = 0; i < workers_.size(); ++i) {
        larger_scratch.push_back({allocate_aligned(scratch, options_.pages), scratch});
      }
    }
    if (!larger_workspace && larger_scratch.empty()) return;
    if (larger_workspace) {
      workspace_.swap(larger_workspace);
      workspace_bytes_ = workspace;
    }
    if (!larger_scratch.empty()) workers_.swap(larger_scratch);
    for (auto& [key, kept] : runs_) kept.run->move_memory(workspace_.get(), workers_);
  }

  /// Every byte 0xFF: NaN as f32, -1 as an integer.
  void poison() {
    std::memset(workspace_.get(), 0xFF, workspace_bytes_);
    for (WorkerSpace& worker : workers_) std::memset(worker.scratch.get(), 0xFF, worker.bytes);
  }

  // ---- Before and after a run ----

  UnitTime* times_for(ProgramId program, const Plan& plan) {
    if (times_.empty()) return nullptr;
    const auto asked = times_.find(program);
    if (asked == times_.end() || asked->second == nullptr) return nullptr;
    asked->second->assign(plan.units.size(), {});
    return asked->second->data();
  }

  void require_values(const Plan& plan) const {
    for (const PlanVariable& variable : plan.variables) {
      if (variables_.find(variable.name)->initialised) continue;
      throw Error(ErrorCode::usage, "this variable has no value yet: initialise the variables or load them",
                  {}, variable.name);
    }
  }

  void note_spoilt(const PlanRun& plan_run) noexcept {
    const std::optional<std::size_t> flag = plan_run.first_spoilt();
    if (flag) note_spoilt({plan_run.shared_plan(), &plan_run.plan().updated[*flag]});
  }

  [[noreturn]] void explain(const std::shared_ptr<const Graph>& graph, const Run& run, Outcome outcome) {
    switch (outcome) {
      case Outcome::cancelled:
        throw Error(ErrorCode::cancelled, "the run was stopped; no variable has changed");
      case Outcome::not_finite: {
        const HostState state;
        throw explain_not_finite(graph, run, kernels_, options_.lowering.provider, variables_);
      }
      case Outcome::failed:
      case Outcome::done:
        break;
    }
    throw Error(ErrorCode::memory, "oneDNN could not run a product: there is not enough memory");
  }

  const KernelRegistry& kernels_;
  SessionOptions options_;
  VariableStore variables_;
  std::vector<std::shared_ptr<const Graph>> graphs_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Executor> serial_;
  std::map<std::pair<ProgramId, std::int64_t>, KeptPlan> runs_;  // end before their executors
  std::uint64_t uses_ = 0;
  AlignedBytes workspace_;
  std::size_t workspace_bytes_ = 0;
  std::vector<WorkerSpace> workers_;
  std::shared_ptr<Arrivals> arrivals_;                 // null: no variable is on its way
  std::shared_ptr<const std::string> spoilt_;          // a variable; null: nothing is spoilt
  std::map<ProgramId, std::vector<UnitTime>*> times_;  // of programs that are timed
};

Session::Session(const OpRegistry& /*ops*/, const KernelRegistry& kernels, SessionOptions options)
    : implementation_(std::make_unique<Implementation>(kernels, std::move(options))) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

ProgramId Session::add(std::shared_ptr<const Graph> graph) {
  return implementation_->add(std::move(graph));
}

const Plan& Session::prepare(ProgramId program, std::int64_t batch) {
  return implementation_->prepare(program, batch).run->plan();
}

std::size_t Session::threads() const {
  return implementation_->threads();
}

ProviderChoice Session::provider() const {
  return implementation_->provider();
}

Precision Session::precision() const {
  return implementation_->precision();
}

void Session::expect(std::shared_ptr<Arrivals> arrivals) {
  implementation_->expect(std::move(arrivals));
}

VariableStore& Session::variables() {
  return implementation_->variables();
}
const VariableStore& Session::variables() const {
  return implementation_->variables();
}

void Session::run(ProgramId program, const Run& run) {
  implementation_->run(program, run);
}

void Session::time_units(ProgramId program, std::vector<UnitTime>* times) {
  implementation_->time_units(program, times);
}

void Session::give_back_workspace() {
  implementation_->give_back_workspace();
}

const std::string* Session::spoilt() const noexcept {
  return implementation_->spoilt();
}

void Session::note_spoilt(std::shared_ptr<const std::string> variable) noexcept {
  implementation_->note_spoilt(std::move(variable));
}

void Session::forget_spoilt() noexcept {
  implementation_->forget_spoilt();
}

}  // namespace graphrun::runtime
