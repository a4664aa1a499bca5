#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/execute/executors.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/machine/resources.hpp"

namespace graphrun::runtime {
namespace {

/// Threads that wait for work.
class Crew {
 public:
  explicit Crew(std::size_t threads) : workers_(threads) {
    threads_.reserve(threads);
    try {
      for (std::size_t worker = 1; worker < threads; ++worker) start(worker);
    } catch (...) {
      end();
      throw;
    }
  }

  ~Crew() { end(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  std::size_t workers() const { return workers_; }

  void reserve(std::size_t tasks) {
    std::unique_lock lock(mutex_);  // the others may be looking for work
    // OpenMP allocates for a thread when it starts: before the first step, not in one.
    changed_.wait(lock, [this] { return started_ == threads_.size(); });
    ready_.reserve(tasks);
    waiting_.reserve(tasks);
  }

  void run(const Plan& plan, TaskRunner& runner, SideWork* side) {
    std::unique_lock lock(mutex_);
    plan_ = &plan;
    runner_ = &runner;
    side_ = side;
    left_ = plan.tasks.size() + (side == nullptr ? 0 : 1);
    waiting_.clear();
    ready_.clear();
    for (const Task& task : plan.tasks) waiting_.push_back(task.dependencies);
    // A stack: the first task on top.
    for (auto task = static_cast<std::uint32_t>(plan.tasks.size()); task-- > 0;) {
      if (waiting_[task] == 0) ready_.push_back(task);
    }
    changed_.notify_all();
    work(lock, 0, [this] { return left_ == 0; });
  }

 private:
  void start(std::size_t worker) {
    threads_.emplace_back([this, worker] {
      const HostState state;
      std::unique_lock lock(mutex_);
      ++started_;
      changed_.notify_all();
      work(lock, worker, [this] { return closing_; });
    });
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// Takes ready tasks until `done`. The lock is held, but not while a task runs.
  template <class Done>
  void work(std::unique_lock<std::mutex>& lock, std::size_t worker, Done done) {
    for (;;) {
      changed_.wait(lock, [&] { return done() || !ready_.empty() || side_ != nullptr; });
      if (!ready_.empty()) {
        run_task(lock, worker);
      } else if (side_ != nullptr) {
        run_side(lock);
      } else {
        return;
      }
    }
  }

  void run_task(std::unique_lock<std::mutex>& lock, std::size_t worker) {
    const std::uint32_t task = ready_.back();
    ready_.pop_back();
    lock.unlock();
    {
      const SingleOpenMpThread one;  // for each task: oneDNN may be opened after these threads have begun
      runner_->run_task(task, worker);
    }
    lock.lock();
    finish(task);
  }

  void run_side(std::unique_lock<std::mutex>& lock) {
    SideWork* const side = std::exchange(side_, nullptr);
    lock.unlock();
    side->run();
    lock.lock();
    --left_;
    changed_.notify_all();
  }

  void finish(std::uint32_t task) {
    const Task& record = plan_->tasks[task];
    for (std::uint32_t i = 0; i < record.successors; ++i) {
      const std::uint32_t next = plan_->successors[record.first_successor + i];
      if (--waiting_[next] == 0) ready_.push_back(next);
    }
    --left_;
    changed_.notify_all();
  }

  std::size_t workers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const Plan* plan_ = nullptr;
  TaskRunner* runner_ = nullptr;
  SideWork* side_ = nullptr;
  std::vector<std::uint32_t> ready_;
  std::vector<std::uint32_t> waiting_;
  std::size_t left_ = 0;
  std::size_t started_ = 0;  // of threads_
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

class ThreadsExecutor final : public Executor {
 public:
  explicit ThreadsExecutor(std::size_t threads) : crew_(std::make_unique<Crew>(threads)) {}

  /// In a child that was forked nobody is left to be waited for, and the lock may be anyone's.
  ~ThreadsExecutor() override {
    if (!process_.here()) static_cast<void>(crew_.release());
  }

  std::size_t workers() const override { return crew_->workers(); }

  std::unique_ptr<PreparedPlan> prepare(const Plan& plan) override {
    auto prepared = std::make_unique<Prepared>(*this, plan);
    if (process_.here()) crew_->reserve(plan.tasks.size());
    return prepared;
  }

 private:
  class Prepared final : public PreparedPlan {
   public:
    Prepared(ThreadsExecutor& executor, const Plan& plan) : executor_(executor), plan_(plan) {}
    void run(TaskRunner& runner, SideWork* side) noexcept override {
      if (!executor_.process_.here()) return run_serially(plan_, runner, side);
      executor_.crew_->run(plan_, runner, side);
    }

   private:
    ThreadsExecutor& executor_;
    const Plan& plan_;
  };

  OwnProcess process_;
  std::unique_ptr<Crew> crew_;
};

}  // namespace

std::unique_ptr<Executor> make_threads_executor(std::size_t threads) {
  return std::make_unique<ThreadsExecutor>(threads);
}

}  // namespace graphrun::runtime
