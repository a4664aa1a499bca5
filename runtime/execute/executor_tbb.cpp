#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "runtime/execute/executor.hpp"
#include "runtime/machine/host_state.hpp"

namespace graphrun::runtime {
namespace {

using Node = tbb::flow::continue_node<tbb::flow::continue_msg>;

class FlowGraph {
 public:
  explicit FlowGraph(const Plan& plan)
      : side_node_(graph_, [this](const tbb::flow::continue_msg& message) {
          side_->run();
          return message;
        }) {
    for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
      nodes_.emplace_back(graph_, [this, task](const tbb::flow::continue_msg& message) {
        // For each task, and not by an observer: TBB does not promise to tell an observer that a worker
        // leaves an arena that is being destroyed, and the host's other work on that thread would then run
        // with it.
        const HostState state;
        runner_->run_task(task, static_cast<std::size_t>(tbb::this_task_arena::current_thread_index()));
        return message;
      });
      if (plan.tasks[task].dependencies == 0) first_.push_back(task);
    }
    for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
      const Task& record = plan.tasks[task];
      for (std::uint32_t i = 0; i < record.successors; ++i) {
        tbb::flow::make_edge(nodes_[task], nodes_[plan.successors[record.first_successor + i]]);
      }
    }
  }

  void run(TaskRunner& runner, SideWork* side) {
    runner_ = &runner;
    side_ = side;
    // A thread takes its own newest task and otherwise steals another's oldest: what lies in the middle is
    // taken last.
    const std::size_t middle = first_.size() / 2;
    put(std::span(first_).first(middle));
    if (side != nullptr) side_node_.try_put({});
    put(std::span(first_).subspan(middle));
    graph_.wait_for_all();
  }

 private:
  void put(std::span<const std::uint32_t> tasks) {
    for (const std::uint32_t task : tasks) nodes_[task].try_put({});
  }

  tbb::flow::graph graph_;
  Node side_node_;
  std::deque<Node> nodes_;
  std::vector<std::uint32_t> first_;
  TaskRunner* runner_ = nullptr;
  SideWork* side_ = nullptr;
};

class TbbExecutor final : public Executor {
 public:
  explicit TbbExecutor(std::size_t threads)
      : workers_(std::min(threads, available_threads())), arena_(static_cast<int>(workers_)) {}

  ~TbbExecutor() override {
    arena_.execute([this] { graphs_.clear(); });
  }

  std::size_t workers() const override { return workers_; }

  void prepare(const Plan& plan) override {
    // A graph belongs to the arena in which it is made.
    arena_.execute([&] { graphs_.try_emplace(&plan, plan); });
  }

  void forget(const Plan& plan) override {
    arena_.execute([&] { graphs_.erase(&plan); });
  }

  void run(const Plan& plan, TaskRunner& runner, SideWork* side) override {
    FlowGraph& graph = graphs_.at(&plan);
    arena_.execute([&] { graph.run(runner, side); });
  }

 private:
  std::size_t workers_;
  tbb::task_arena arena_;
  std::map<const Plan*, FlowGraph> graphs_;
};

}  // namespace

std::unique_ptr<Executor> make_tbb_executor(std::size_t threads) {
  return std::make_unique<TbbExecutor>(threads);
}

}  // namespace graphrun::runtime
