#include <algorithm>
#include <functional>
#include <map>
#include <queue>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

/// A task below this is not worth handing to another core.
constexpr double worth_a_task_ns = 5'000;

/// Units are taken in order. Each goes to the end of a task of its own slice where that costs no
/// parallelism, or starts one:
///  - a part of a sum over rows of one slice goes to the slice's task, which has them at hand;
///  - a unit that waits for one task only continues it, unless that task was closed because several
///    worthwhile pieces of work wait for its end;
///    or because a worker has several slices to make and its product reads several times as much of the
///    weights as it makes: the next slice finds them near;
///  - an update goes to the task that makes its gradient, and a small unit to a small task it waits for,
///    while nothing waits for that task: then no circle can close, whatever else the unit waits for;
///  - a small unit joins the task that was started for the same set of tasks (a bias gradient joins its
///    weight gradient).
class TaskGatherer {
 public:
  TaskGatherer(const BoundGraph& bound, const Partition& partition, std::size_t workers, Schedule& schedule)
      : bound_(bound), partition_(partition), workers_(workers), result_(schedule) {}

  void run() {
    cluster();
    sort_tasks();
    locate_units();
  }

 private:
  const Group& group(std::uint32_t unit) const { return partition_.groups[result_.units[unit].group]; }

  /// The slice of a unit, in which all rows of a part of a sum may lie; one number for all that run as a
  /// whole.
  std::uint32_t lane_of(std::uint32_t unit) const {
    if (group(unit).rows) return result_.units[unit].slice;
    if (group(unit).ranges.empty()) return whole;
    return result_.slice_with(result_.rows_of(result_.units[unit])).value_or(whole);
  }
  bool sums_in_lane(std::uint32_t unit) const {
    return !group(unit).ranges.empty() && lane_of(unit) != whole;
  }
  static constexpr std::uint32_t whole = ~std::uint32_t{0};

  void cluster() {
    count_heavy_successors();
    result_.task_of.assign(result_.units.size(), 0);
    for (std::uint32_t unit = 0; unit < result_.units.size(); ++unit) {
      const std::vector<std::uint32_t> waits = tasks_before(unit);
      append(unit, home_of(unit, waits), waits);
    }
  }

  void count_heavy_successors() {
    heavy_successors_.assign(result_.units.size(), 0);
    for (std::uint32_t index = 0; index < result_.units.size(); ++index) {
      const UnitDraft& unit = result_.units[index];
      if (unit.nanoseconds < worth_a_task_ns || sums_in_lane(index)) continue;
      // Of a slice's units only the last one counts: the unit waits for the others through it.
      std::map<std::uint32_t, std::uint32_t> last;
      for (const std::uint32_t before : unit.predecessors) {
        std::uint32_t& latest = last[lane_of(before)];
        latest = std::max(latest, before);
      }
      // What it waits for longer than for a slice is made of all slices: it does not wait for that slice's
      // end.
      const auto all = last.find(whole);
      for (const auto& [lane, before] : last)
        if (all == last.end() || before >= all->second || !follows(all->second, before))
          ++heavy_successors_[before];
    }
  }

  /// Whether a unit waits for another, as far as a short search sees.
  bool follows(std::uint32_t unit, std::uint32_t other) const {
    std::vector<std::uint32_t> seen = {unit};
    for (std::size_t i = 0; i < seen.size() && i < most_looked_at; ++i) {
      for (const std::uint32_t before : result_.units[seen[i]].predecessors) {
        if (before == other) return true;
        if (before > other && std::ranges::find(seen, before) == seen.end()) seen.push_back(before);
      }
    }
    return false;
  }

  std::vector<std::uint32_t> tasks_before(std::uint32_t unit) const {
    std::vector<std::uint32_t> tasks;
    for (const std::uint32_t before : result_.units[unit].predecessors)
      tasks.push_back(result_.task_of[before]);
    std::ranges::sort(tasks);
    tasks.erase(std::unique(tasks.begin(), tasks.end()), tasks.end());
    leave_out_implied(tasks);
    return tasks;
  }

  /// Whoever waits for the task that was started last waits for those it waits for, and for theirs as far as
  /// a short search sees.
  void leave_out_implied(std::vector<std::uint32_t>& tasks) const {
    if (tasks.size() < 2) return;
    const std::uint32_t first = tasks.front();  // what was started before it seldom waits for it
    std::vector<std::uint32_t> seen = {tasks.back()};
    for (std::size_t i = 0; i < seen.size() && i < most_looked_at; ++i) {
      for (const std::uint32_t before : result_.tasks[seen[i]].predecessors) {
        if (before < first || std::ranges::find(seen, before) != seen.end()) continue;
        seen.push_back(before);
        std::erase(tasks, before);
      }
    }
  }
  static constexpr std::size_t most_looked_at = 32;

  static constexpr std::uint32_t new_task = ~std::uint32_t{0};

  std::uint32_t home_of(std::uint32_t unit, const std::vector<std::uint32_t>& waits) const {
    const bool small = result_.units[unit].nanoseconds < worth_a_task_ns;
    const std::uint32_t lane = lane_of(unit);
    if (sums_in_lane(unit)) {
      const auto task = std::find_if(waits.rbegin(), waits.rend(), [&](std::uint32_t each) {
        return lane_of_[each] == lane && !has_successors_[each];
      });
      if (task != waits.rend()) return *task;
    }
    if (waits.size() == 1) {
      const std::uint32_t task = waits[0];
      const bool open = !closed_[task] || (small && !has_successors_[task]);
      return open && fits_lane(task, lane) ? task : new_task;
    }
    const bool update = !bound_.node(group(unit).members.back()).op->writes.empty();
    for (const std::uint32_t task : waits) {
      if (has_successors_[task] || lane_of_[task] != lane) continue;
      if (update ? makes_input(task, unit) : small && result_.tasks[task].nanoseconds < worth_a_task_ns) {
        return task;
      }
    }
    if (small) {
      const auto sibling = started_for_.find({lane, waits});
      if (sibling != started_for_.end()) return sibling->second;
    }
    return new_task;
  }

  bool fits_lane(std::uint32_t task, std::uint32_t lane) const {
    return lane_of_[task] == lane || result_.slices().size() == 1;
  }

  /// Whether the unit reads a value that a whole unit of the task makes.
  bool makes_input(std::uint32_t task, std::uint32_t unit) const {
    const Node& node = bound_.node(group(unit).members.back());
    return std::ranges::any_of(node.inputs, [&](NodeId input) {
      const std::uint32_t from = partition_.group_of[bound_.info(input).root];
      if (from == no_group || partition_.groups[from].rows) return false;
      const bool in_step = result_.gradient_in_step(from, result_.units[unit].group);
      return result_.task_of[result_.first_unit[from] + (in_step ? result_.units[unit].slice : 0)] == task;
    });
  }

  void append(std::uint32_t unit, std::uint32_t task, const std::vector<std::uint32_t>& waits) {
    if (task == new_task) {
      task = static_cast<std::uint32_t>(result_.tasks.size());
      result_.tasks.emplace_back();
      closed_.push_back(false);
      has_successors_.push_back(false);
      lane_of_.push_back(lane_of(unit));
      if (waits.size() != 1) started_for_.emplace(std::pair(lane_of(unit), waits), task);
    }
    TaskDraft& draft = result_.tasks[task];
    draft.units.push_back(unit);
    draft.nanoseconds += result_.units[unit].nanoseconds;
    draft.work += result_.units[unit].work;
    result_.task_of[unit] = task;
    for (const std::uint32_t before : waits) {
      if (before == task) continue;
      draft.predecessors.push_back(before);
      has_successors_[before] = true;
    }
    if (heavy_successors_[unit] >= 2 || leaves_weights(unit)) closed_[task] = true;
  }

  bool leaves_weights(std::uint32_t unit) const {
    const Group& product = group(unit);
    if (!product.rows || product.kind != GroupKind::product || result_.slices().size() <= workers_)
      return false;
    return product.spec.inner > 4 * result_.rows_of(result_.units[unit]).count &&
           result_.units[unit].nanoseconds >= worth_a_task_ns;
  }

  /// Topological, by the order in which tasks were started where there is a choice.
  void sort_tasks() {
    const std::size_t count = result_.tasks.size();
    std::vector<std::vector<std::uint32_t>> successors(count);
    std::vector<std::uint32_t> waiting(count, 0);
    for (std::uint32_t task = 0; task < count; ++task) {
      std::vector<std::uint32_t>& before = result_.tasks[task].predecessors;
      std::ranges::sort(before);
      before.erase(std::unique(before.begin(), before.end()), before.end());
      waiting[task] = static_cast<std::uint32_t>(before.size());
      for (const std::uint32_t predecessor : before) successors[predecessor].push_back(task);
    }
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
    for (std::uint32_t task = 0; task < count; ++task) {
      if (waiting[task] == 0) ready.push(task);
    }
    std::vector<std::uint32_t> position(count);
    std::vector<TaskDraft> ordered;
    while (!ready.empty()) {
      const std::uint32_t task = ready.top();
      ready.pop();
      position[task] = static_cast<std::uint32_t>(ordered.size());
      ordered.push_back(std::move(result_.tasks[task]));
      for (const std::uint32_t next : successors[task]) {
        if (--waiting[next] == 0) ready.push(next);
      }
    }
    if (ordered.size() != count) {
      throw Error(ErrorCode::internal, "the tasks of a plan wait for each other in a circle");
    }
    result_.tasks = std::move(ordered);
    for (TaskDraft& task : result_.tasks) {
      for (std::uint32_t& predecessor : task.predecessors) predecessor = position[predecessor];
      std::ranges::sort(task.predecessors);
    }
  }

  void locate_units() {
    result_.position_of.assign(result_.units.size(), 0);
    result_.block_rows.assign(result_.units.size(), 0);
    for (std::uint32_t task = 0; task < result_.tasks.size(); ++task) {
      const std::vector<std::uint32_t>& units = result_.tasks[task].units;
      for (std::uint32_t position = 0; position < units.size(); ++position) {
        result_.task_of[units[position]] = task;
        result_.position_of[units[position]] = position;
      }
    }
  }

  const BoundGraph& bound_;
  const Partition& partition_;
  std::size_t workers_;
  Schedule& result_;
  std::vector<std::uint32_t> heavy_successors_;
  std::vector<bool> closed_;
  std::vector<bool> has_successors_;
  std::vector<std::uint32_t> lane_of_;  // of a task: that of its first unit
  std::map<std::pair<std::uint32_t, std::vector<std::uint32_t>>, std::uint32_t> started_for_;
};

}  // namespace

void gather_tasks(const BoundGraph& bound, const Partition& partition, std::size_t workers,
                  Schedule& schedule) {
  TaskGatherer(bound, partition, workers, schedule).run();
}

std::size_t widest_moment(const std::vector<TaskDraft>& tasks) {
  std::vector<std::pair<double, int>> events;  // at a time, one more or one fewer
  std::vector<double> ends(tasks.size(), 0);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    double begin = 0;
    for (const std::uint32_t predecessor : tasks[i].predecessors) begin = std::max(begin, ends[predecessor]);
    ends[i] = begin + std::max(1.0, tasks[i].nanoseconds);
    events.emplace_back(begin, 1);
    events.emplace_back(ends[i], -1);
  }
  std::ranges::sort(events);
  int running = 0;
  int most = 0;
  for (const auto& [time, change] : events) {
    running += change;
    most = std::max(most, running);
  }
  return static_cast<std::size_t>(most);
}

}  // namespace graphrun::runtime
