#include <algorithm>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

// ---- The cost model. It chooses between lowerings that compute the same numbers by the same sums where
// ---- slices are concerned; its constants are round figures for one core, and never measured at run time.

constexpr double product_flop_per_ns = 100;
constexpr double bytes_per_ns = 20;
constexpr double call_ns = 150;  ///< to start any kernel

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
    gather_tasks(bound_, partition_, result_);
  }

  Schedule take() { return std::move(result_); }

 private:
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
      } else if (batch_in_step || result_.gradient_in_step(from, index)) {
        result_.units[unit].predecessors.push_back(result_.first_unit[from] + result_.units[unit].slice);
      } else {
        all_units_before(from, unit);
      }
    }
  }

  /// A variable is written after all that read it.
  void connect_readers(std::uint32_t unit, std::uint32_t index, NodeId member, std::size_t input) {
    const NodeId variable = bound_.info(bound_.node(member).inputs[input]).root;
    for (const Use& use : bound_.info(variable).uses) {
      const std::uint32_t reader = partition_.group_of[use.user];
      if (reader != no_group && reader != index) all_units_before(reader, unit);
    }
  }

  const BoundGraph& bound_;
  const Partition& partition_;
  Schedule result_;
  std::vector<double> group_ns_;
};

}  // namespace

Schedule schedule_groups(const BoundGraph& bound, const Partition& partition,
                         const LoweringOptions& options) {
  return Scheduler(bound, partition, options).take();
}

}  // namespace graphrun::runtime
