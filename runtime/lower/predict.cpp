#include "runtime/lower/predict.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace graphrun::runtime {
namespace {

/// Of one core, in GB/s: what elementwise kernels reach in caches.
constexpr double cached_rate = 50;
/// To take a task that has become ready, when several threads do.
constexpr double hand_on_ns = 1'500;

/// Of a task that has the memory for itself.
struct TaskTime {
  double near_ns = 0;
  double memory_ns = 0;
  double alone() const { return near_ns + memory_ns; }
};

TaskTime time_of(const Work& work, const MachineRates& rates) {
  return {.near_ns = work.flop / rates.peak + work.cached_bytes / cached_rate + work.other_ns,
          .memory_ns = work.stored_bytes / std::min(rates.core_bandwidth, rates.bandwidth)};
}

/// Gives each task that is ready to the core that is free first. Of several, the one whose work and what
/// waits for it is longest. Cores that use the memory at once share it.
class ListSchedule {
 public:
  /// `fed_at_once`: so many cores find the memory as fast as one alone.
  ListSchedule(const Plan& plan, std::size_t cores, std::vector<TaskTime> times, double fed_at_once)
      : plan_(plan),
        cores_(plan.serial ? 1 : std::max<std::size_t>(1, cores)),
        fed_at_once_(std::max(1.0, fed_at_once)),
        times_(std::move(times)) {
    if (cores_ > 1)
      for (TaskTime& time : times_) time.near_ns += hand_on_ns;
    count_what_follows();
    for (const Task& task : plan.tasks) waits_for_.push_back(task.dependencies);
  }

  double run() {
    for (std::uint32_t task = 0; task < plan_.tasks.size(); ++task) {
      if (waits_for_[task] == 0) ready_.emplace(follows_ns_[task], task);
    }
    double now = 0;
    while (!ready_.empty() || !running_.empty()) {
      while (!ready_.empty() && running_.size() < cores_) start(now);
      now = running_.top().first;
      while (!running_.empty() && running_.top().first <= now) finish();
    }
    return now;
  }

 private:
  using Event = std::pair<double, std::uint32_t>;

  /// Of each task: itself and the longest chain of those that wait for it.
  void count_what_follows() {
    follows_ns_.assign(plan_.tasks.size(), 0);
    for (std::size_t i = plan_.tasks.size(); i-- > 0;) {
      double longest = 0;
      each_successor(plan_.tasks[i],
                     [&](std::uint32_t next) { longest = std::max(longest, follows_ns_[next]); });
      follows_ns_[i] = times_[i].alone() + longest;
    }
  }

  template <class Visit>
  void each_successor(const Task& task, Visit visit) const {
    for (std::uint32_t i = 0; i < task.successors; ++i) visit(plan_.successors[task.first_successor + i]);
  }

  void start(double now) {
    const std::uint32_t task = ready_.top().second;
    ready_.pop();
    TaskTime& time = times_[task];
    time.memory_ns *= std::max(1.0, (at_memory_ + 1) / fed_at_once_);
    at_memory_ += share_at_memory(time);
    running_.emplace(now + time.alone(), task);
  }

  static double share_at_memory(const TaskTime& time) {
    return time.memory_ns > 0 ? time.memory_ns / time.alone() : 0;
  }

  void finish() {
    const std::uint32_t task = running_.top().second;
    running_.pop();
    at_memory_ -= share_at_memory(times_[task]);
    each_successor(plan_.tasks[task], [&](std::uint32_t next) {
      if (--waits_for_[next] == 0) ready_.emplace(follows_ns_[next], next);
    });
  }

  const Plan& plan_;
  std::size_t cores_;
  double fed_at_once_;
  double at_memory_ = 0;  ///< so many of those that run use it, on average
  std::vector<TaskTime> times_;
  std::vector<double> follows_ns_;
  std::vector<std::uint32_t> waits_for_;
  std::priority_queue<Event> ready_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> running_;
};

}  // namespace

Prediction predict_step(const Plan& plan, std::size_t cores, const MachineRates& rates) {
  std::vector<TaskTime> times;
  for (const Task& task : plan.tasks) times.push_back(time_of(task.work, rates));
  return {
      .tasks_ns = ListSchedule(plan, cores, std::move(times), rates.bandwidth / rates.core_bandwidth).run(),
      .memory_ns = plan.statistics.bytes_per_step / rates.bandwidth};
}

double schedule_ns(const Plan& plan, std::size_t cores, std::span<const double> task_ns) {
  std::vector<TaskTime> times;
  for (const double ns : task_ns) times.push_back({.near_ns = ns});
  return ListSchedule(plan, cores, std::move(times), 1).run();
}

}  // namespace graphrun::runtime
