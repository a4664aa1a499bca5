#include "runtime/lower/lower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "runtime/lower/group_kernels.hpp"
#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

/// Steps that take less than this are not worth waking other threads for.
constexpr double worth_sharing_ns = 50'000;

class PlanBuilder {
 public:
  PlanBuilder(std::shared_ptr<const Graph> graph, std::int64_t batch, const KernelRegistry& kernels,
              const LoweringOptions& options)
      : options_(options), plan_(std::make_shared<Plan>()) {
    plan_->graph = std::move(graph);
    plan_->batch = batch;
    bound_ = bind_graph(*plan_->graph, batch, kernels, options_);
    partition_ = partition_graph(bound_, options_);
    if (options_.slicing && !options_.keep_values) move_to_readers(bound_, partition_);
    cut_sums(bound_, partition_);
    schedule_ = schedule_groups(bound_, partition_, options_);
    kernels_.emplace(bound_, partition_, options_, *plan_);
    placement_ = place_buffers(bound_, partition_, schedule_, kernels_->in_place(), options_);
    refuse_too_large();
    source_of_ = place_sources(bound_, *plan_);
    for (std::uint32_t group = 0; group < partition_.groups.size(); ++group) kernels_->make_call(group);
    collect_outputs();
    emit_tasks();
    collect_values();
    finish();
  }

  std::shared_ptr<Plan> take() { return std::move(plan_); }

 private:
  void refuse_too_large() const {
    if (!options_.max_bytes || placement_.workspace_bytes <= *options_.max_bytes) return;
    throw Error(
        ErrorCode::memory,
        fmt::format("a batch of {} needs {} bytes of workspace, and {} are allowed; a smaller batch needs "
                    "less",
                    plan_->batch, placement_.workspace_bytes, *options_.max_bytes));
  }

  // ---- Places ----

  /// A unit, or a block of its rows.
  struct Part {
    std::uint32_t group = 0;
    std::uint32_t slice = 0;
    RowRange rows;               ///< which it works on
    std::int64_t first_row = 0;  ///< of its slice
  };

  /// Where the value of node `id` is seen from a part: from its first row on when it is `in_step`.
  Place place_of(NodeId id, const Part& part, bool in_step) const {
    const NodeId root = bound_.info(id).root;
    Place place = source_of_[root];
    bool starts_at_part = false;
    if (const std::int64_t buffer = placement_.buffer_of[root]; buffer >= 0) {
      starts_at_part = placement_.per_slice[root];
      place = placement_.buffers[static_cast<std::size_t>(buffer) + (starts_at_part ? part.slice : 0)].place;
      if (place.space == Space::scratch) place.offset += static_cast<std::ptrdiff_t>(local_offset());
    }
    if (in_step && !placement_.per_block[root]) {
      const auto row_bytes = static_cast<std::ptrdiff_t>(bound_.bytes(id)) / bound_.info(id).extents[0];
      place.offset += row_bytes * (part.rows.begin - (starts_at_part ? part.first_row : 0));
    }
    return place;
  }

  /// In a worker's scratch the kernels' own part comes first.
  std::size_t local_offset() const { return aligned_size(kernels_->scratch_bytes()); }

  // ---- Units and tasks ----

  void emit_tasks() {
    // The products first: scratch offsets follow from the largest kernel.
    matmul_of_.resize(schedule_.units.size());
    plan_->implementations.resize(partition_.groups.size());
    for (std::uint32_t i = 0; i < schedule_.units.size(); ++i) {
      const UnitDraft& draft = schedule_.units[i];
      const Group& group = partition_.groups[draft.group];
      if (!group.ranges.empty()) kernels_->range_call(draft.group, rows_of(group, draft).count);
      if (group.kind != GroupKind::product) continue;
      matmul_of_[i] =
          kernels_->matmul_for(group, rows_of(group, draft).count, sums_columns(group, draft.slice));
    }
    std::vector<std::vector<std::uint32_t>> successors(schedule_.tasks.size());
    for (std::uint32_t task = 0; task < schedule_.tasks.size(); ++task) {
      const TaskDraft& draft = schedule_.tasks[task];
      Task record;
      record.first_unit = static_cast<std::uint32_t>(plan_->units.size());
      record.dependencies = static_cast<std::uint32_t>(draft.predecessors.size());
      record.nanoseconds = draft.nanoseconds;
      record.work = draft.work;
      emit_units(draft.units);
      record.units = static_cast<std::uint32_t>(plan_->units.size()) - record.first_unit;
      for (const std::uint32_t predecessor : draft.predecessors) successors[predecessor].push_back(task);
      plan_->tasks.push_back(record);
    }
    for (std::size_t task = 0; task < successors.size(); ++task) {
      plan_->tasks[task].first_successor = static_cast<std::uint32_t>(plan_->successors.size());
      plan_->tasks[task].successors = static_cast<std::uint32_t>(successors[task].size());
      plan_->successors.insert(plan_->successors.end(), successors[task].begin(), successors[task].end());
    }
  }

  /// The first part of a product that is cut sums for all.
  static bool sums_columns(const Group& group, std::uint32_t slice) {
    return group.column_sum.has_value() && slice == 0;
  }

  bool is_cut(std::uint32_t group) const { return schedule_.cut_of[group] != uncut; }

  RowRange rows_of(const Group& group, const UnitDraft& draft) const {
    if (is_cut(draft.group)) return schedule_.rows_of(draft);
    const NodeId last = group.members.back();
    const Node& node = bound_.node(last);
    const bool effect = node.op->traits.effect && !node.inputs.empty();
    const Extents& extents =
        bound_.info(effect                             ? node.inputs[0]
                    : group.kind == GroupKind::product ? group.product
                                                       : last)
            .extents;
    return {0, extents.empty() ? 1 : extents[0]};
  }

  /// In their order; units that share blocks of rows take turns, a block each.
  void emit_units(const std::vector<std::uint32_t>& units) {
    for (std::size_t begin = 0, end = 0; begin < units.size(); begin = end) {
      end = begin + 1;
      while (end < units.size() && share_blocks(units[begin], units[end])) ++end;
      const RowRange rows = rows_of_unit(units[begin]);
      const std::int64_t block = schedule_.block_rows[units[begin]];
      const std::int64_t step = block > 0 ? block : std::max<std::int64_t>(1, rows.count);
      std::int64_t done = 0;
      do {
        const RowRange some{rows.begin + done, std::min(step, rows.count - done)};
        for (std::size_t i = begin; i < end; ++i) emit_block(units[i], some);
        done += step;
      } while (done < rows.count);
    }
  }

  /// A part of a sum runs when the last of its rows are there.
  void emit_block(std::uint32_t unit, const RowRange& block) {
    if (partition_.groups[schedule_.units[unit].group].ranges.empty()) return emit_unit(unit, block);
    const RowRange rows = rows_of_unit(unit);
    const std::int64_t last = rows.begin + rows.count - 1;
    if (block.begin <= last && last < block.begin + block.count) emit_unit(unit, rows);
  }

  bool share_blocks(std::uint32_t a, std::uint32_t b) const {
    return schedule_.block_rows[a] > 0 && schedule_.position_of[a] == schedule_.position_of[b];
  }

  RowRange rows_of_unit(std::uint32_t index) const {
    const UnitDraft& draft = schedule_.units[index];
    return rows_of(partition_.groups[draft.group], draft);
  }

  const Call* call_of(const Group& group, const Part& part) {
    if (kernels_->lone(part.group) != nullptr) return kernels_->eltwise_for(part.group, part.rows.count);
    if (!group.ranges.empty()) return kernels_->range_call(part.group, part.rows.count);
    return kernels_->call(part.group);
  }

  void emit_unit(std::uint32_t index, const RowRange& rows) {
    const UnitDraft& draft = schedule_.units[index];
    const Group& group = partition_.groups[draft.group];
    const Part part{draft.group, draft.slice, rows, rows_of(group, draft).begin};
    Unit unit;
    unit.call = call_of(group, part);
    unit.first_place = static_cast<std::uint32_t>(plan_->places.size());
    unit.node = group.kind == GroupKind::product ? group.result : group.members.back();
    unit.row_begin = rows.begin;
    unit.row_count = rows.count;
    switch (group.kind) {
      case GroupKind::product:
        emit_product(unit, group, part, matmul_of_[index]);
        break;
      case GroupKind::elementwise:
        emit_elementwise(unit, group, part);
        break;
      case GroupKind::call:
        emit_call(unit, group, part);
        break;
      case GroupKind::total:
        emit_total(unit, group, part);
        break;
    }
    unit.first_made = static_cast<std::uint32_t>(plan_->made.size());
    for (std::uint32_t output = 0; output < plan_->outputs.size(); ++output) note_output(unit, draft, output);
    std::string& name = plan_->implementations[draft.group];
    if (name.empty()) name = plan_->implementation(unit);
    plan_->units.push_back(unit);
  }

  void note_output(Unit& unit, const UnitDraft& draft, std::uint32_t output) {
    const BoundInfo& info = bound_.info(plan_->graph->outputs()[output].node);
    if (partition_.group_of[info.root] != draft.group) return;
    plan_->made.push_back(output);
    ++unit.made;
    ++plan_->outputs[output].units;
  }

  void input(Unit& unit, const Place& place) {
    plan_->places.push_back(place);
    ++unit.inputs;
  }
  void written(Unit& unit, const Place& place) {
    plan_->places.push_back(place);
    ++unit.written;
  }

  void emit_product(Unit& unit, const Group& group, const Part& part, std::uint32_t matmul) {
    const Node& node = bound_.node(group.product);
    unit.matmul = matmul;
    unit.product = static_cast<std::uint32_t>(plan_->products.size());
    plan_->products.push_back(matmul);
    input(unit, place_of_left(group, part));
    input(unit, place_of(node.inputs[1], part, bound_.sliced_input(group.product, 1)));
    if (group.bias) input(unit, place_of(*group.bias, part, false));
    if (sums_columns(group, part.slice)) written(unit, place_of(*group.column_sum, part, false));
    plan_->places.push_back(place_of(group.result, part, is_cut(part.group)));
    unit.output = true;
    add_soon(unit, group, part);
  }

  /// The rows of the variables that an update is going to change with this part of its gradient.
  void add_soon(Unit& unit, const Group& group, const Part& part) {
    const std::vector<Use>& uses = bound_.info(group.product).uses;
    if (uses.empty() || !schedule_.gradient_in_step(part.group, partition_.group_of[uses.front().user]))
      return;
    const Node& update = bound_.node(uses.front().user);
    unit.first_soon = static_cast<std::uint32_t>(plan_->soon.size());
    const RowRange rows = part.rows;
    for (const std::size_t i : update.op->writes) {
      const NodeId variable = bound_.info(update.inputs[i]).root;
      const std::size_t row_bytes =
          bound_.bytes(variable) / static_cast<std::size_t>(bound_.info(variable).extents[0]);
      plan_->soon.push_back({source_of_[variable].index, row_bytes * static_cast<std::size_t>(rows.begin),
                             row_bytes * static_cast<std::size_t>(rows.count)});
      ++unit.soon;
    }
  }

  /// What makes the rows of a part: rows of the left operand, or its columns when it is transposed.
  Place place_of_left(const Group& group, const Part& part) const {
    const Node& node = bound_.node(group.product);
    const bool transposed = node.attributes.flag("transpose_a");
    const bool gradient = schedule_.cut_of[part.group] > batch_rows;
    const bool rows = gradient ? !transposed : bound_.sliced_input(group.product, 0);
    Place place = place_of(node.inputs[0], part, rows);
    if (gradient && transposed) {
      place.offset += part.rows.begin * static_cast<std::ptrdiff_t>(bound_.element_bytes(node.inputs[0]));
    }
    return place;
  }

  void emit_elementwise(Unit& unit, const Group& group, const Part& part) {
    if (kernels_->lone(part.group) != nullptr) return emit_lone(unit, group, part);
    const ElementwiseProgram& program = kernels_->program(part.group);
    for (const Operand& operand : program.operands)
      input(unit, place_of(operand.node, part, operand.sliced || goes_along(group, part, operand.node)));
    for (const NodeId stored : program.stored)
      written(unit, place_of(stored, part, group.rows || goes_along(group, part, stored)));
    for (const Reduction& reduction : program.reductions) {
      written(unit, place_of(reduction.node, part, group.rows));
    }
  }

  /// With an update that is cut.
  bool goes_along(const Group& group, const Part& part, NodeId id) const {
    return schedule_.cut_of[part.group] > batch_rows && bound_.info(id).extents == group.shape;
  }

  void emit_lone(Unit& unit, const Group& group, const Part& part) {
    const LoneFunction& function = *kernels_->lone(part.group);
    input(unit, place_of(function.values, part, group.rows));
    if (function.cotangents) input(unit, place_of(*function.cotangents, part, group.rows));
    plan_->places.push_back(place_of(group.stored.front(), part, group.rows));
    unit.output = true;
  }

  /// Of an update that is cut, all that has the variable's shape goes along with its rows.
  bool call_in_step(const Part& part, NodeId id, std::size_t i) const {
    if (schedule_.cut_of[part.group] <= batch_rows) return bound_.sliced_input(id, i);
    const Node& node = bound_.node(id);
    if (!partition_.groups[part.group].ranges.empty()) return true;
    return bound_.info(node.inputs[i]).extents == bound_.info(node.inputs[node.op->writes.front()]).extents;
  }

  void emit_call(Unit& unit, const Group& group, const Part& part) {
    const NodeId id = group.members.front();
    const Node& node = bound_.node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      input(unit, place_of(node.inputs[i], part, call_in_step(part, id, i)));
    }
    for (const std::size_t i : node.op->writes) {
      written(unit, place_of(node.inputs[i], part, call_in_step(part, id, i)));
    }
    if (!group.ranges.empty()) {
      plan_->places.push_back(place_of_partial(part.group, part.slice));
      unit.output = true;
      return;
    }
    if (!node.op->traits.effect) {
      plan_->places.push_back(place_of(id, part, group.rows));
      unit.output = true;
      return;
    }
    unit.role = node.op->writes.empty() ? UnitRole::check : UnitRole::update;
    if (unit.role == UnitRole::update) {
      unit.flag = static_cast<std::uint32_t>(plan_->updated.size());
      plan_->updated.push_back(bound_.node(node.inputs[node.op->writes.front()]).name);
    }
  }

  /// What a part of a sum made: its group's ranges have a buffer each.
  Place place_of_partial(std::uint32_t group, std::uint32_t part) const {
    Place place = placement_.buffers[placement_.first_partial[group] + part].place;
    if (place.space == Space::scratch) place.offset += static_cast<std::ptrdiff_t>(local_offset());
    return place;
  }

  /// The parts are those of the group before it.
  void emit_total(Unit& unit, const Group& group, const Part& part) {
    const std::uint32_t parts = part.group - 1;
    for (std::uint32_t i = 0; i < schedule_.parts(parts); ++i) input(unit, place_of_partial(parts, i));
    plan_->places.push_back(place_of(group.stored.front(), part, false));
    unit.output = true;
  }

  // ---- The end ----

  void collect_outputs() {
    static const Part whole{};
    for (const NamedOutput& output : plan_->graph->outputs()) {
      const Node& node = bound_.node(output.node);
      plan_->outputs.push_back({output.name, node.type.dtype, bound_.info(output.node).extents,
                                bound_.bytes(output.node), place_of(output.node, whole, false), 0});
    }
  }

  void collect_values() {
    static const Part whole{};
    if (!options_.keep_values) return;
    for (NodeId id = 0; id < bound_.nodes.size(); ++id) {
      const BoundInfo& info = bound_.info(id);
      const Node& node = bound_.node(id);
      const bool has_value = info.live && !node.op->traits.effect && node.type.dtype == DType::f32;
      if (!has_value || node.op->traits.constant) continue;
      plan_->values.push_back({id, bound_.bytes(id), place_of(id, whole, false)});
    }
  }

  void finish() {
    PlanStatistics& statistics = plan_->statistics;
    statistics.flop_per_step = schedule_.flop;
    // Variables are read and updated, buffers written and read; more when they leave the cache in between.
    statistics.bytes_per_step = schedule_.update_bytes + 2 * static_cast<double>(placement_.workspace_bytes);
    for (const PlanVariable& variable : plan_->variables)
      statistics.bytes_per_step += 4 * static_cast<double>(element_count(variable.extents));
    statistics.workspace_bytes = placement_.workspace_bytes;
    statistics.scratch_bytes_per_worker = local_offset() + aligned_size(placement_.scratch_bytes);
    statistics.tasks = plan_->tasks.size();
    statistics.max_parallelism = widest_moment(schedule_.tasks);
    statistics.slices = schedule_.slices().size();
    statistics.groups = partition_.groups.size();
    double nanoseconds = 0;
    for (const Task& task : plan_->tasks) nanoseconds += task.nanoseconds;
    plan_->serial = statistics.max_parallelism <= 1 || nanoseconds < worth_sharing_ns;
    plan_->groups = to_string(bound_, partition_);
  }

  LoweringOptions options_;
  std::shared_ptr<Plan> plan_;
  BoundGraph bound_;
  Partition partition_;
  Schedule schedule_;
  Placement placement_;
  std::optional<GroupKernels> kernels_;
  std::vector<std::uint32_t> matmul_of_;  // by unit draft
  std::vector<Place> source_of_;          // by node
};

}  // namespace

std::shared_ptr<const Plan> lower(std::shared_ptr<const Graph> graph, std::int64_t batch,
                                  const KernelRegistry& kernels, const LoweringOptions& options) {
  if (batch < 1) throw Error(ErrorCode::usage, fmt::format("the batch must be at least 1, not {}", batch));
  const auto begin = std::chrono::steady_clock::now();
  LoweringOptions effective = options;
  if (effective.keep_values) {
    effective.fusion = effective.post_ops = effective.memory_sharing = false;
  }
  const std::shared_ptr<Plan> plan = PlanBuilder(std::move(graph), batch, kernels, effective).take();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  plan->statistics.compile_ms = elapsed.count();
  return plan;
}

}  // namespace graphrun::runtime
