#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "runtime/execute/executors.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/machine/resources.hpp"

namespace graphrun::runtime {
namespace {

using Node = tbb::flow::continue_node<tbb::flow::continue_msg>;

std::size_t this_worker() {
  return static_cast<std::size_t>(tbb::this_task_arena::current_thread_index());
}

/// The tasks of a plan as nodes. TBB may fail to hand a task on, for lack of memory or of a thread, and then
/// does not say which tasks it still holds. So each is taken before it runs, by whoever comes first: after a
/// failure the calling thread does all that nobody has taken, and what TBB brings later finds nothing to do.
class FlowGraph {
  struct Body {
    FlowGraph* graph;
    std::uint32_t task;
    tbb::flow::continue_msg operator()(const tbb::flow::continue_msg& message) const {
      graph->finish(task, this_worker());
      return message;
    }
  };

 public:
  explicit FlowGraph(const Plan& plan)
      : side_(static_cast<std::uint32_t>(plan.tasks.size())),
        states_(plan.tasks.size() + 1),
        side_node_(graph_, Body{this, side_}) {
    for (std::uint32_t task = 0; task < side_; ++task) {
      nodes_.emplace_back(graph_, Body{this, task});
      if (plan.tasks[task].dependencies == 0) first_.push_back(task);
    }
    for (std::uint32_t task = 0; task < side_; ++task) {
      const Task& record = plan.tasks[task];
      for (std::uint32_t i = 0; i < record.successors; ++i) {
        tbb::flow::make_edge(nodes_[task], nodes_[plan.successors[record.first_successor + i]]);
      }
    }
  }

  void begin(TaskRunner& runner, SideWork* side) noexcept {
    runner_ = &runner;
    side_work_ = side;
    for (std::atomic<State>& state : states_) state.store(State::waiting, std::memory_order_relaxed);
  }

  /// False after a failure: the graph is of no more use, and must stay for what TBB may still hold.
  bool run() noexcept {
    try {
      // A thread takes its own newest task and otherwise steals another's oldest: what lies in the middle is
      // taken last.
      const std::size_t middle = first_.size() / 2;
      put(std::span(first_).first(middle));
      if (side_work_ != nullptr) side_node_.try_put({});
      put(std::span(first_).subspan(middle));
      graph_.wait_for_all();
      return true;
    } catch (...) {
      finish_alone(this_worker());
      return false;
    }
  }

  /// In the order of the plan, in which all before a task are done or at work.
  void finish_alone(std::size_t worker) noexcept {
    for (std::uint32_t task = 0; task <= side_; ++task) finish(task, worker);
  }

 private:
  enum class State : std::uint8_t { waiting, taken, done };

  void put(std::span<const std::uint32_t> tasks) {
    for (const std::uint32_t task : tasks) nodes_[task].try_put({});
  }

  /// Runs a task unless somebody else has taken it; it is done when this returns.
  void finish(std::uint32_t task, std::size_t worker) noexcept {
    State expected = State::waiting;
    if (states_[task].compare_exchange_strong(expected, State::taken)) {
      run_task(task, worker);
      states_[task].store(State::done, std::memory_order_release);
    }
    while (states_[task].load(std::memory_order_acquire) != State::done) std::this_thread::yield();
  }

  void run_task(std::uint32_t task, std::size_t worker) noexcept {
    // For each task, and not by an observer: TBB does not promise to tell an observer that a worker leaves an
    // arena that is being destroyed, and the host's other work on that thread would then run with it.
    const HostState state;
    if (task < side_) {
      runner_->run_task(task, worker);
    } else if (side_work_ != nullptr) {
      side_work_->run();
    }
  }

  std::uint32_t side_;  ///< the number of the side work: behind the last task
  std::vector<std::atomic<State>> states_;
  tbb::flow::graph graph_;
  Node side_node_;
  std::deque<Node> nodes_;
  std::vector<std::uint32_t> first_;
  TaskRunner* runner_ = nullptr;
  SideWork* side_work_ = nullptr;
};

/// TBB starts a thread when it first needs it, some of them on threads of its own, where a failure ends the
/// process: so whether that many can be started is tried here.
void require_threads(std::size_t count) {
  std::mutex gate;
  std::vector<std::thread> threads;
  threads.reserve(count);
  const auto pass = [&gate] { const std::lock_guard wait(gate); };
  std::unique_lock closed(gate);
  try {
    while (threads.size() < count) threads.emplace_back(pass);
  } catch (...) {
    closed.unlock();
    for (std::thread& thread : threads) thread.join();
    throw;
  }
  closed.unlock();
  for (std::thread& thread : threads) thread.join();
}

class TbbExecutor final : public Executor {
 public:
  explicit TbbExecutor(std::size_t threads)
      : workers_(threads),
        own_arena_(std::make_unique<tbb::task_arena>(static_cast<int>(workers_))),
        arena_(own_arena_.get()) {
    require_threads(workers_ - 1);
    arena_->initialize();
    start_workers();
  }

  /// An arena for one thread may get a worker all the same, so that what is enqueued there runs.
  explicit TbbExecutor(tbb::task_arena& arena) : arena_(&arena) {
    arena.initialize();
    workers_ = static_cast<std::size_t>(std::max(2, arena.max_concurrency()));
  }

  /// In a child that was forked, locks of TBB may be held by threads that are not there.
  ~TbbExecutor() override {
    if (!process_.here()) static_cast<void>(own_arena_.release());
  }

  std::size_t workers() const override { return workers_; }

  std::unique_ptr<PreparedPlan> prepare(const Plan& plan) override {
    return std::make_unique<Prepared>(*this, plan);
  }

 private:
  class Prepared final : public PreparedPlan {
   public:
    Prepared(TbbExecutor& executor, const Plan& plan) : executor_(executor), plan_(plan) {
      // A graph belongs to the arena in which it is made.
      if (executor_.process_.here()) {
        executor_.arena_->execute([&] { graph_ = std::make_unique<FlowGraph>(plan); });
      }
    }

    ~Prepared() override {
      if (!graph_) return;
      try {
        if (executor_.process_.here()) executor_.arena_->execute([&] { graph_.reset(); });
      } catch (...) {  // there is no memory for what TBB keeps of a thread that it meets for the first time
      }
      static_cast<void>(graph_.release());
    }

    void run(TaskRunner& runner, SideWork* side) noexcept override {
      if (!graph_ || !executor_.process_.here()) return run_serially(plan_, runner, side);
      graph_->begin(runner, side);
      bool entered = false;
      bool whole = false;
      try {
        executor_.arena_->execute([&] {
          entered = true;
          whole = graph_->run();
        });
      } catch (...) {  // as above
        if (!entered) graph_->finish_alone(0);
      }
      if (!whole) static_cast<void>(graph_.release());
    }

   private:
    TbbExecutor& executor_;
    const Plan& plan_;
    std::unique_ptr<FlowGraph> graph_;  ///< none: the calling thread runs the plan alone
  };

  /// Lets each worker come once: what TBB and OpenMP allocate for a thread is allocated now, and not in a
  /// step. Waits a moment at most, since other arenas of the process may keep the workers busy.
  void start_workers() {
    const auto arrived = std::make_shared<std::atomic<std::size_t>>(0);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    const auto wait = [arrived, deadline, all = workers_ - 1] {
      while (arrived->load() < all && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    };
    for (std::size_t worker = 1; worker < workers_; ++worker) {
      arena_->enqueue([arrived, wait] {
        const HostState state;
        arrived->fetch_add(1);
        wait();
      });
    }
    wait();
  }

  OwnProcess process_;
  std::size_t workers_ = 0;
  std::unique_ptr<tbb::task_arena> own_arena_;  ///< null: the arena is the caller's
  tbb::task_arena* arena_;
};

}  // namespace

std::unique_ptr<Executor> make_tbb_executor(std::size_t threads) {
  return std::make_unique<TbbExecutor>(threads);
}

std::unique_ptr<Executor> make_tbb_executor(void* arena) {
  return std::make_unique<TbbExecutor>(*static_cast<tbb::task_arena*>(arena));
}

}  // namespace graphrun::runtime
