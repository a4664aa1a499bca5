#include <algorithm>
#include <map>
#include <queue>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

// ---- The cost model. It chooses between lowerings that compute the same numbers by the same sums where
// ---- slices are concerned; its constants are round figures for one core, and never measured at run time.

constexpr double product_flop_per_ns = 100;
constexpr double bytes_per_ns = 20;
constexpr double call_ns = 150;  ///< to start any kernel

/// A task below this is not worth handing to another core.
constexpr double worth_a_task_ns = 5'000;

/// Slices are multiples of this many rows, which is what matrix kernels like.
constexpr std::int64_t row_step = 16;
/// The work that one slice should have at least.
constexpr double worth_a_slice_ns = 20'000;
/// Long slices pack transposed weights and read all weights less often; a batch that makes fewer than four of
/// them is cut into shorter ones, for cores.
constexpr std::int64_t most_rows_of_a_slice = 256;
constexpr std::int64_t rows_worth_a_core = 128;
constexpr std::int64_t slices_for_cores = 4;
/// A weight gradient is cut into pieces of about so many bytes, which stay in the second-level cache beside
/// the rows of the weights and the optimizer's slots, but not of fewer rows than its provider likes.
constexpr std::int64_t gradient_bytes = std::int64_t{256} << 10;
/// More slices than this serve no machine, and each takes memory for its tasks.
constexpr std::int64_t most_slices = 256;

class Scheduler {
 public:
  Scheduler(const BoundGraph& bound, const Partition& partition, const LoweringOptions& options)
      : bound_(bound), partition_(partition) {
    measure();
    cut(options.slicing && !options.keep_values);
    if (options.fused_update && !options.keep_values) cut_gradients();
    make_units();
    connect();
    cluster();
    sort_tasks();
    locate_units();
  }

  Schedule take() { return std::move(result_); }

 private:
  const Group& group(std::uint32_t unit) const { return partition_.groups[result_.units[unit].group]; }

  /// The slice of a unit; one number for all that run as a whole.
  std::uint32_t lane_of(std::uint32_t unit) const {
    return group(unit).rows ? result_.units[unit].slice : whole;
  }
  static constexpr std::uint32_t whole = ~std::uint32_t{0};

  // ---- Cost ----

  Cost cost_of(NodeId id) const {
    const Node& node = bound_.node(id);
    const Extents& output = bound_.info(id).extents;
    if (node.op->cost == nullptr) {
      const auto count = static_cast<double>(element_count(output));
      return {count, 8 * count};
    }
    std::vector<Extents> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(bound_.info(input).extents);
    return node.op->cost({inputs, output, node.attributes});
  }

  void measure() {
    for (const Group& each : partition_.groups) {
      double nanoseconds = call_ns;
      for (const NodeId member : each.members) {
        const Cost cost = cost_of(member);
        result_.flop += cost.flop;
        const bool product =
            each.kind == GroupKind::product && (member == each.product || member == each.column_sum);
        const double computing = cost.flop / product_flop_per_ns;
        const double moving = product ? 0 : cost.bytes / bytes_per_ns;
        nanoseconds += each.kind == GroupKind::elementwise ? moving : std::max(computing, moving);
      }
      group_ns_.push_back(nanoseconds);
    }
  }

  // ---- Slices ----

  void cut(bool slicing) {
    result_.cuts = {{{0, 0}}, {}};
    for (const Group& each : partition_.groups) result_.cut_of.push_back(each.rows ? batch_rows : uncut);
    double rows_ns = 0;
    for (std::size_t i = 0; i < partition_.groups.size(); ++i) {
      if (partition_.groups[i].rows) rows_ns += group_ns_[i];
    }
    const std::int64_t batch = bound_.batch;
    const std::int64_t steps = (batch + row_step - 1) / row_step;
    std::int64_t slices = 1;
    if (slicing && steps > 1) {
      // Two at least, so that two cores have work; more when the rows are many.
      const auto slices_of = [batch](std::int64_t rows) { return (batch + rows - 1) / rows; };
      slices = std::clamp<std::int64_t>(slices_of(rows_worth_a_core), 2, slices_for_cores);
      slices = std::max(slices, slices_of(most_rows_of_a_slice));
      slices = std::min(slices, static_cast<std::int64_t>(rows_ns / worth_a_slice_ns));
      slices = std::clamp<std::int64_t>(slices, 1, std::min(steps, most_slices));
    }
    result_.cuts[batch_rows] = even_shares(batch, slices, row_step);
  }

  /// Rows in so many shares of whole steps, the larger ones first.
  static Cut even_shares(std::int64_t rows, std::int64_t count, std::int64_t step) {
    const std::int64_t steps = (rows + step - 1) / step;
    Cut shares;
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t share = steps / count + (i < steps % count ? 1 : 0);
      const std::int64_t end = std::min(rows, begin + share * step);
      shares.push_back({begin, end - begin});
      begin = end;
    }
    return shares;
  }

  // ---- Gradients with their updates ----

  /// A product that makes a weight gradient for one update alone is cut into rows together with it: the
  /// gradient then lives in a small piece of scratch and is used while it is in the cache, and several
  /// threads may share the work. The cut follows the graph and the batch alone, as the bits of some providers
  /// do.
  void cut_gradients() {
    for (std::uint32_t update = 0; update < partition_.groups.size(); ++update) {
      const std::uint32_t product = gradient_of(update);
      if (product == no_group) continue;
      const Group& gradient = partition_.groups[product];
      const std::int64_t fewest = gradient.provider->capabilities(gradient.spec).fewest_part_rows;
      if (fewest == 0) continue;
      const Extents& extents = bound_.info(gradient.product).extents;
      const std::int64_t row_bytes = extents[1] * 4;
      const std::int64_t fitting = std::max(fewest, gradient_bytes / row_bytes);
      const std::int64_t parts = (extents[0] + fitting - 1) / fitting;
      result_.cut_of[product] = result_.cut_of[update] = static_cast<std::uint32_t>(result_.cuts.size());
      result_.cuts.push_back(even_shares(extents[0], parts, 1));
    }
  }

  /// The product group that makes the gradient of an update and serves nothing else.
  std::uint32_t gradient_of(std::uint32_t update) const {
    const NodeId id = partition_.groups[update].members.back();
    const Node& node = bound_.node(id);
    if (node.op->writes.empty()) return no_group;
    const Extents& variable = bound_.info(node.inputs[node.op->writes.front()]).extents;
    for (const NodeId input : node.inputs) {
      const BoundInfo& info = bound_.info(input);
      const std::uint32_t from = partition_.group_of[info.root];
      if (from == no_group || info.root != input || info.fetched || info.uses.size() != 1) continue;
      const Group& product = partition_.groups[from];
      const bool fits = product.kind == GroupKind::product && !product.rows && product.product == input &&
                        product.result == input;
      if (fits && info.extents == variable && element_count(variable) > 0) return from;
    }
    return no_group;
  }

  // ---- Units ----

  void make_units() {
    for (std::uint32_t i = 0; i < partition_.groups.size(); ++i) {
      result_.first_unit.push_back(static_cast<std::uint32_t>(result_.units.size()));
      const Cut& cut = result_.cuts[result_.cut_of[i]];
      std::int64_t rows = 0;
      for (const RowRange& part : cut) rows += part.count;
      for (std::uint32_t slice = 0; slice < cut.size(); ++slice) {
        const double share =
            rows == 0 ? 1 : static_cast<double>(cut[slice].count) / static_cast<double>(rows);
        result_.units.push_back({i, slice, group_ns_[i] * share, {}});
      }
    }
  }

  void all_units_before(std::uint32_t from_group, std::uint32_t unit) {
    for (std::uint32_t i = 0; i < result_.parts(from_group); ++i) {
      result_.units[unit].predecessors.push_back(result_.first_unit[from_group] + i);
    }
  }

  void connect() {
    std::vector<std::uint32_t> checks;
    for (std::uint32_t unit = 0; unit < result_.units.size(); ++unit) {
      const std::uint32_t index = result_.units[unit].group;
      for (const NodeId member : partition_.groups[index].members) {
        connect_inputs(unit, index, member);
        for (const NodeId control : bound_.node(member).controls) {
          const std::uint32_t from = partition_.group_of[bound_.info(control).root];
          if (from != no_group && from != index) all_units_before(from, unit);
        }
        const OpDef& op = *bound_.node(member).op;
        if (!op.traits.effect) continue;
        if (op.writes.empty()) checks.push_back(unit);
        for (const std::size_t input : op.writes) connect_readers(unit, index, member, input);
        // A step is all or nothing: whatever may end it has spoken before anything is written.
        if (!op.writes.empty()) {
          for (const std::uint32_t check : checks) result_.units[unit].predecessors.push_back(check);
        }
      }
      std::vector<std::uint32_t>& before = result_.units[unit].predecessors;
      std::ranges::sort(before);
      before.erase(std::unique(before.begin(), before.end()), before.end());
    }
  }

  void connect_inputs(std::uint32_t unit, std::uint32_t index, NodeId member) {
    const Node& node = bound_.node(member);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::uint32_t from = partition_.group_of[bound_.info(node.inputs[i]).root];
      if (from == no_group || from == index) continue;
      const bool batch_in_step = bound_.sliced_input(member, i) && partition_.groups[from].rows;
      if (bound_.info(node.inputs[i]).root == partition_.groups[from].column_sum) {
        result_.units[unit].predecessors.push_back(result_.first_unit[from]);  // the first part alone sums
      } else if (batch_in_step || gradient_in_step(from, index)) {
        result_.units[unit].predecessors.push_back(result_.first_unit[from] + result_.units[unit].slice);
      } else {
        all_units_before(from, unit);
      }
    }
  }

  bool gradient_in_step(std::uint32_t from, std::uint32_t to) const {
    return result_.cut_of[from] > batch_rows && result_.cut_of[from] == result_.cut_of[to];
  }

  /// A variable is written after all that read it.
  void connect_readers(std::uint32_t unit, std::uint32_t index, NodeId member, std::size_t input) {
    const NodeId variable = bound_.info(bound_.node(member).inputs[input]).root;
    for (const Use& use : bound_.info(variable).uses) {
      const std::uint32_t reader = partition_.group_of[use.user];
      if (reader != no_group && reader != index) all_units_before(reader, unit);
    }
  }

  // ---- Tasks ----
  //
  // Units are taken in order. Each goes to the end of a task of its own slice where that costs no
  // parallelism, or starts one:
  //  - a unit that waits for one task only continues it, unless that task was closed because several
  //  worthwhile
  //    pieces of work wait for its end;
  //  - an update goes to the task that makes its gradient, and a small unit to a small task it waits for,
  //  while
  //    nothing waits for that task: then no circle can close, whatever else the unit waits for;
  //  - a small unit joins the task that was started for the same set of tasks (a bias gradient joins its
  //    weight gradient).

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
    for (const UnitDraft& unit : result_.units) {
      if (unit.nanoseconds < worth_a_task_ns) continue;
      // Of a slice's units only the last one counts: the unit waits for the others through it.
      std::map<std::uint32_t, std::uint32_t> last;
      for (const std::uint32_t before : unit.predecessors) {
        std::uint32_t& latest = last[lane_of(before)];
        latest = std::max(latest, before);
      }
      for (const auto& [lane, before] : last) ++heavy_successors_[before];
    }
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

  /// Whoever waits for the task that was started last waits for those it waits for.
  void leave_out_implied(std::vector<std::uint32_t>& tasks) const {
    if (tasks.size() < 2) return;
    const std::uint32_t last = tasks.back();
    for (const std::uint32_t before : result_.tasks[last].predecessors) {
      const auto found = std::ranges::lower_bound(tasks, before);
      if (found != tasks.end() && *found == before) tasks.erase(found);
    }
  }

  static constexpr std::uint32_t new_task = ~std::uint32_t{0};

  std::uint32_t home_of(std::uint32_t unit, const std::vector<std::uint32_t>& waits) const {
    const bool small = result_.units[unit].nanoseconds < worth_a_task_ns;
    const std::uint32_t lane = lane_of(unit);
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
      const bool in_step = gradient_in_step(from, result_.units[unit].group);
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
    result_.task_of[unit] = task;
    for (const std::uint32_t before : waits) {
      if (before == task) continue;
      draft.predecessors.push_back(before);
      has_successors_[before] = true;
    }
    if (heavy_successors_[unit] >= 2) closed_[task] = true;
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
  Schedule result_;
  std::vector<double> group_ns_;
  std::vector<std::uint32_t> heavy_successors_;
  std::vector<bool> closed_;
  std::vector<bool> has_successors_;
  std::vector<std::uint32_t> lane_of_;  // of a task: that of its first unit
  std::map<std::pair<std::uint32_t, std::vector<std::uint32_t>>, std::uint32_t> started_for_;
};

}  // namespace

Schedule schedule_groups(const BoundGraph& bound, const Partition& partition,
                         const LoweringOptions& options) {
  return Scheduler(bound, partition, options).take();
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
