#include "runtime/lower/predict.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace graphrun::runtime {
namespace {

/// Of one core, in GB/s: what elementwise kernels reach in caches, and what an optimizer reaches in memory.
constexpr double cached_rate = 50;
constexpr double stored_rate = 30;
/// To take a task that has become ready, when several threads do.
constexpr double hand_on_ns = 1'500;

double nanoseconds_of(const Work& work, const MachineRates& rates) {
  return work.flop / rates.peak + work.cached_bytes / cached_rate +
         work.stored_bytes / std::min(stored_rate, rates.bandwidth) + work.other_ns;
}

/// Gives each task that is ready to the core that is free first. Of several, the one whose work and what
/// waits for it is longest.
class ListSchedule {
 public:
  ListSchedule(const Plan& plan, std::size_t cores, const MachineRates& rates) : plan_(plan), cores_(cores) {
    for (const Task& task : plan.tasks)
      task_ns_.push_back(nanoseconds_of(task.work, rates) + (cores > 1 ? hand_on_ns : 0));
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
      follows_ns_[i] = task_ns_[i] + longest;
    }
  }

  template <class Visit>
  void each_successor(const Task& task, Visit visit) const {
    for (std::uint32_t i = 0; i < task.successors; ++i) visit(plan_.successors[task.first_successor + i]);
  }

  void start(double now) {
    const std::uint32_t task = ready_.top().second;
    ready_.pop();
    running_.emplace(now + task_ns_[task], task);
  }

  void finish() {
    const std::uint32_t task = running_.top().second;
    running_.pop();
    each_successor(plan_.tasks[task], [&](std::uint32_t next) {
      if (--waits_for_[next] == 0) ready_.emplace(follows_ns_[next], next);
    });
  }

  const Plan& plan_;
  std::size_t cores_;
  std::vector<double> task_ns_;
  std::vector<double> follows_ns_;
  std::vector<std::uint32_t> waits_for_;
  std::priority_queue<Event> ready_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> running_;
};

}  // namespace

Prediction predict_step(const Plan& plan, std::size_t cores, const MachineRates& rates) {
  const std::size_t used = plan.serial ? 1 : std::max<std::size_t>(1, cores);
  return {.tasks_ns = ListSchedule(plan, used, rates).run(),
          .memory_ns = plan.statistics.bytes_per_step / rates.bandwidth};
}

}  // namespace graphrun::runtime
