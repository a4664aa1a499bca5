#include "runtime/lower/lower.hpp"

#include <fmt/format.h>

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
    schedule_ = schedule_groups(bound_, partition_, options_);
    kernels_.emplace(bound_, partition_, options_, *plan_);
    placement_ = place_buffers(bound_, partition_, schedule_, kernels_->in_place(), options_);
    refuse_too_large();
    source_of_ = place_sources(bound_, *plan_);
    for (std::uint32_t group = 0; group < partition_.groups.size(); ++group) kernels_->make_call(group);
    emit_tasks();
    collect_outputs();
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

  /// Where the value of node `id` is seen from a unit: from its part's first row on when it is `in_step`.
  Place place_of(NodeId id, const UnitDraft& unit, bool in_step) const {
    const NodeId root = bound_.info(id).root;
    Place place = source_of_[root];
    bool starts_at_part = false;
    if (const std::int64_t buffer = placement_.buffer_of[root]; buffer >= 0) {
      starts_at_part = placement_.per_slice[root];
      place = placement_.buffers[static_cast<std::size_t>(buffer) + (starts_at_part ? unit.slice : 0)].place;
      if (place.space == Space::scratch) place.offset += static_cast<std::ptrdiff_t>(local_offset());
    }
    if (in_step && !starts_at_part) {
      const auto row_bytes = static_cast<std::ptrdiff_t>(bound_.bytes(id)) / bound_.info(id).extents[0];
      place.offset += row_bytes * schedule_.rows_of(unit).begin;
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
      if (group.kind != GroupKind::product) continue;
      matmul_of_[i] = kernels_->matmul_for(group, rows_of(group, draft).count, sums_columns(group, draft));
    }
    std::vector<std::vector<std::uint32_t>> successors(schedule_.tasks.size());
    for (std::uint32_t task = 0; task < schedule_.tasks.size(); ++task) {
      const TaskDraft& draft = schedule_.tasks[task];
      Task record;
      record.first_unit = static_cast<std::uint32_t>(plan_->units.size());
      record.units = static_cast<std::uint32_t>(draft.units.size());
      record.dependencies = static_cast<std::uint32_t>(draft.predecessors.size());
      record.nanoseconds = draft.nanoseconds;
      record.work = draft.work;
      for (const std::uint32_t unit : draft.units) emit_unit(unit);
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
  static bool sums_columns(const Group& group, const UnitDraft& draft) {
    return group.column_sum.has_value() && draft.slice == 0;
  }

  bool is_cut(const UnitDraft& draft) const { return schedule_.cut_of[draft.group] != uncut; }

  RowRange rows_of(const Group& group, const UnitDraft& draft) const {
    if (is_cut(draft)) return schedule_.rows_of(draft);
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

  void emit_unit(std::uint32_t index) {
    const UnitDraft& draft = schedule_.units[index];
    const Group& group = partition_.groups[draft.group];
    const RowRange rows = rows_of(group, draft);
    Unit unit;
    unit.call = kernels_->lone(draft.group) != nullptr ? kernels_->eltwise_for(draft.group, rows.count)
                                                       : kernels_->call(draft.group);
    unit.first_place = static_cast<std::uint32_t>(plan_->places.size());
    unit.node = group.kind == GroupKind::product ? group.result : group.members.back();
    unit.row_begin = rows.begin;
    unit.row_count = rows.count;
    switch (group.kind) {
      case GroupKind::product:
        emit_product(unit, group, draft, matmul_of_[index]);
        break;
      case GroupKind::elementwise:
        emit_elementwise(unit, group, draft);
        break;
      case GroupKind::call:
        emit_call(unit, group, draft);
        break;
    }
    std::string& name = plan_->implementations[draft.group];
    if (name.empty()) name = plan_->implementation(unit);
    plan_->units.push_back(unit);
  }

  void input(Unit& unit, const Place& place) {
    plan_->places.push_back(place);
    ++unit.inputs;
  }
  void written(Unit& unit, const Place& place) {
    plan_->places.push_back(place);
    ++unit.written;
  }

  void emit_product(Unit& unit, const Group& group, const UnitDraft& draft, std::uint32_t matmul) {
    const Node& node = bound_.node(group.product);
    unit.matmul = matmul;
    unit.product = static_cast<std::uint32_t>(plan_->products.size());
    plan_->products.push_back(matmul);
    input(unit, place_of_left(group, draft));
    input(unit, place_of(node.inputs[1], draft, bound_.sliced_input(group.product, 1)));
    if (group.bias) input(unit, place_of(*group.bias, draft, false));
    if (sums_columns(group, draft)) written(unit, place_of(*group.column_sum, draft, false));
    plan_->places.push_back(place_of(group.result, draft, is_cut(draft)));
    unit.output = true;
    add_soon(unit, group, draft);
  }

  /// The rows of the variables that an update is going to change with this part of its gradient.
  void add_soon(Unit& unit, const Group& group, const UnitDraft& draft) {
    const std::vector<Use>& uses = bound_.info(group.product).uses;
    if (uses.empty() || !schedule_.gradient_in_step(draft.group, partition_.group_of[uses.front().user]))
      return;
    const Node& update = bound_.node(uses.front().user);
    unit.first_soon = static_cast<std::uint32_t>(plan_->soon.size());
    const RowRange rows = schedule_.rows_of(draft);
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
  Place place_of_left(const Group& group, const UnitDraft& draft) const {
    const Node& node = bound_.node(group.product);
    const bool transposed = node.attributes.flag("transpose_a");
    const bool gradient = schedule_.cut_of[draft.group] > batch_rows;
    const bool rows = gradient ? !transposed : bound_.sliced_input(group.product, 0);
    Place place = place_of(node.inputs[0], draft, rows);
    if (gradient && transposed) {
      place.offset +=
          schedule_.rows_of(draft).begin * static_cast<std::ptrdiff_t>(bound_.element_bytes(node.inputs[0]));
    }
    return place;
  }

  void emit_elementwise(Unit& unit, const Group& group, const UnitDraft& draft) {
    if (kernels_->lone(draft.group) != nullptr) return emit_lone(unit, group, draft);
    const ElementwiseProgram& program = kernels_->program(draft.group);
    for (const Operand& operand : program.operands)
      input(unit, place_of(operand.node, draft, operand.sliced));
    for (const NodeId stored : program.stored) written(unit, place_of(stored, draft, group.rows));
    for (const Reduction& reduction : program.reductions) {
      written(unit, place_of(reduction.node, draft, group.rows));
    }
  }

  void emit_lone(Unit& unit, const Group& group, const UnitDraft& draft) {
    const LoneFunction& function = *kernels_->lone(draft.group);
    input(unit, place_of(function.values, draft, group.rows));
    if (function.cotangents) input(unit, place_of(*function.cotangents, draft, group.rows));
    plan_->places.push_back(place_of(group.stored.front(), draft, group.rows));
    unit.output = true;
  }

  /// Of an update that is cut, all that has the variable's shape goes along with its rows.
  bool call_in_step(const UnitDraft& draft, NodeId id, std::size_t i) const {
    if (schedule_.cut_of[draft.group] <= batch_rows) return bound_.sliced_input(id, i);
    const Node& node = bound_.node(id);
    return bound_.info(node.inputs[i]).extents == bound_.info(node.inputs[node.op->writes.front()]).extents;
  }

  void emit_call(Unit& unit, const Group& group, const UnitDraft& draft) {
    const NodeId id = group.members.front();
    const Node& node = bound_.node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      input(unit, place_of(node.inputs[i], draft, call_in_step(draft, id, i)));
    }
    for (const std::size_t i : node.op->writes) {
      written(unit, place_of(node.inputs[i], draft, call_in_step(draft, id, i)));
    }
    if (!node.op->traits.effect) {
      plan_->places.push_back(place_of(id, draft, group.rows));
      unit.output = true;
      return;
    }
    unit.role = node.op->writes.empty() ? UnitRole::check : UnitRole::update;
    if (unit.role == UnitRole::update) {
      unit.flag = static_cast<std::uint32_t>(plan_->updated.size());
      plan_->updated.push_back(bound_.node(node.inputs[node.op->writes.front()]).name);
    }
  }

  // ---- The end ----

  void collect_outputs() {
    static const UnitDraft whole{};
    for (const NamedOutput& output : plan_->graph->outputs()) {
      const Node& node = bound_.node(output.node);
      plan_->outputs.push_back({output.name, node.type.dtype, bound_.info(output.node).extents,
                                bound_.bytes(output.node), place_of(output.node, whole, false)});
    }
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
