#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>

#include "runtime/lower/function_times.hpp"
#include "runtime/lower/lowering.hpp"
#include "runtime/machine/cache.hpp"

namespace graphrun::runtime {
namespace {

// ---- The cost model. It chooses between lowerings that compute the same numbers by the same sums where
// ---- slices are concerned; its constants are round figures for one core, and never measured at run time.

constexpr double product_flop_per_ns = 100;
constexpr double bytes_per_ns = 20;
constexpr double call_ns = 150;  ///< to start any kernel

// ---- For predictions alone: what kernels reach of a core's peak, by `bench MODEL --ops`.

constexpr double product_efficiency = 0.98;
/// Loads and counting beside each vector of multiply-adds: they weigh more, the faster a core multiplies.
constexpr double issue_ns = 0.023;
constexpr double narrow_efficiency = 0.2;  ///< products with fewer columns or inner elements than:
constexpr std::int64_t narrow_product = 16;
constexpr double call_efficiency = 0.6;  ///< of convolutions
constexpr double largest_cache = 32e6;   ///< bytes that an optimizer finds near again in the next step

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
/// Of work on whole batches no task is larger than this share of what a worker has to do in a step.
constexpr std::int64_t tasks_of_a_worker = 8;
/// More slices than this serve no machine, and each takes memory for its tasks.
constexpr std::int64_t most_slices = 256;

class Scheduler {
 public:
  Scheduler(const BoundGraph& bound, const Partition& partition, const LoweringOptions& options)
      : bound_(bound),
        partition_(partition),
        isa_(options.isa),
        blocks_(options.slicing && !options.keep_values) {
    measure();
    estimate();
    cut(options);
    if (options.fused_update && !options.keep_values) cut_gradients();
    if (options.slicing && !options.keep_values) {
      cut_products();
      cut_updates();
    }
    make_units();
    connect();
    gather_tasks(bound_, partition_, static_cast<std::size_t>(workers_), result_);
    if (blocks_) cut_into_blocks(bound_, partition_, result_);
  }

  Schedule take() { return std::move(result_); }

 private:
  // ---- Cost ----

  void measure() {
    for (std::size_t i = 0; i < partition_.groups.size(); ++i) {
      const Group& each = partition_.groups[i];
      if (each.kind == GroupKind::total) {
        group_ns_.push_back(call_ns + bytes_of_total(i) / bytes_per_ns);
        continue;
      }
      double nanoseconds = call_ns;
      for (const NodeId member : each.members) {
        const Cost cost = bound_.cost(member);
        result_.flop += cost.flop;
        if (!bound_.node(member).op->writes.empty()) result_.update_bytes += cost.bytes;
        const bool product =
            each.kind == GroupKind::product && (member == each.product || member == each.column_sum);
        const double computing = cost.flop / product_flop_per_ns;
        const double moving = product ? 0 : cost.bytes / bytes_per_ns;
        nanoseconds += each.kind == GroupKind::elementwise ? moving : std::max(computing, moving);
      }
      group_ns_.push_back(nanoseconds);
    }
  }

  /// Of the parts and their sum.
  double bytes_of_total(std::size_t group) const {
    const std::size_t parts = partition_.groups[group - 1].ranges.size();
    return static_cast<double>((parts + 1) * bound_.bytes(partition_.groups[group].stored.front()));
  }

  /// What predictions need, which may be finer than what choices follow.
  void estimate() {
    for (std::size_t i = 0; i < partition_.groups.size(); ++i) {
      const Group& each = partition_.groups[i];
      Work work;
      if (each.kind == GroupKind::total) {
        group_work_.push_back({.cached_bytes = bytes_of_total(i)});
        continue;
      }
      for (const NodeId member : each.members) work += work_of(each, member);
      if (each.kind == GroupKind::elementwise) work.cached_bytes += bytes_around(each);
      group_work_.push_back(work);
    }
  }

  Work work_of(const Group& group, NodeId member) const {
    const Cost cost = bound_.cost(member);
    const Node& node = bound_.node(member);
    if (group.kind == GroupKind::product && member == group.product) return work_of_product(group, cost);
    if (group.column_sum == member) return {.flop = cost.flop};
    // A group keeps what it hands on in the first-level cache; so does what rides on a product.
    if (group.kind != GroupKind::call) return {.other_ns = cost.flop * function_ns(node.op->name, isa_)};
    if (node.op->traits.random)
      return {.other_ns = static_cast<double>(element_count(bound_.info(member).extents)) *
                          function_ns(node.op->name, isa_)};
    if (node.op->writes.empty()) return {.flop = cost.flop / call_efficiency, .cached_bytes = cost.bytes};
    return moved(cost.bytes);
  }

  Work work_of_product(const Group& group, const Cost& cost) const {
    if (std::min(group.spec.columns, group.spec.inner) < narrow_product)
      return {.flop = cost.flop / narrow_efficiency};
    // Columns are made by panels of two vectors; the last one takes as long with one.
    const double panel = 2 * lanes_of(isa_);
    const auto columns = static_cast<double>(group.spec.columns);
    const double flop = cost.flop * std::ceil(columns / panel) * panel / columns;
    return {.flop = flop / product_efficiency, .other_ns = flop / panel * issue_ns};
  }

  /// Bytes of variables and slots.
  Work moved(double bytes) const {
    const bool fits = result_.update_bytes < largest_cache;
    return {.cached_bytes = fits ? bytes : 0, .stored_bytes = fits ? 0 : bytes};
  }

  /// Numbers in a vector.
  static double lanes_of(Isa isa) { return isa == Isa::avx512 ? 16 : isa == Isa::avx2 ? 8 : 4; }

  /// What an elementwise group reads from others and stores for them.
  double bytes_around(const Group& group) const {
    std::set<NodeId> around(group.stored.begin(), group.stored.end());
    for (const NodeId member : group.members)
      for (const NodeId input : bound_.node(member).inputs)
        if (!std::ranges::binary_search(group.members, input)) around.insert(input);
    double bytes = 0;
    for (const NodeId id : around) bytes += static_cast<double>(bound_.bytes(id));
    return bytes;
  }

  // ---- Slices ----

  void cut(const LoweringOptions& options) {
    result_.cuts = {{{0, 0}}, {}};
    for (const Group& each : partition_.groups) {
      result_.cut_of.push_back(each.rows ? batch_rows : uncut);
      if (each.ranges.empty()) continue;
      result_.cut_of.back() = static_cast<std::uint32_t>(result_.cuts.size());
      result_.cuts.push_back(each.ranges);
    }
    workers_ = static_cast<std::int64_t>(std::max<std::size_t>(1, options.workers));
    const std::int64_t slices = options.slicing && !options.keep_values ? slices_of_batch(options) : 1;
    result_.cuts[batch_rows] = even_shares(bound_.batch, slices, row_step);
  }

  std::int64_t slices_of_batch(const LoweringOptions& options) const {
    const std::int64_t batch = bound_.batch;
    const std::int64_t steps = (batch + row_step - 1) / row_step;
    if (steps <= 1) return 1;
    double rows_ns = 0;
    for (std::size_t i = 0; i < partition_.groups.size(); ++i) {
      if (partition_.groups[i].rows) rows_ns += group_ns_[i];
    }
    // Two at least, so that two cores have work; more when the rows are many.
    const auto slices_of = [batch](std::int64_t rows) { return (batch + rows - 1) / rows; };
    std::int64_t slices = std::clamp<std::int64_t>(slices_of(rows_worth_a_core), 2, slices_for_cores);
    slices = std::max(slices, slices_of(most_rows_of_a_slice));
    // As many for each worker; to one and two cores that makes no difference.
    if (rows_stand_alone(options)) slices = (slices + workers_ - 1) / workers_ * workers_;
    slices = std::min(slices, static_cast<std::int64_t>(rows_ns / worth_a_slice_ns));
    return std::clamp<std::int64_t>(slices, 1, std::min(steps, most_slices));
  }

  /// Whether slices change no bit. Our own kernels promise that for each op; of providers it is asked.
  bool rows_stand_alone(const LoweringOptions& options) const {
    return std::ranges::all_of(partition_.groups, [&](const Group& each) {
      if (!each.rows) return true;
      if (each.kind == GroupKind::product) return each.provider->capabilities(each.spec).rows_alone;
      const std::optional<LoneFunction> function = lone_function(bound_, each);
      return !function || eltwise_provider(function->spec, options.provider) == nullptr;
    });
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

  // ---- Gradients and updates ----

  /// A product that makes a weight gradient for one update alone is cut into rows together with it: the
  /// gradient then lives in a small piece of scratch and is used while it is in the cache, and several
  /// threads may share the work. The cut follows the workers only where bits do not follow it.
  void cut_gradients() {
    for (std::uint32_t update = 0; update < partition_.groups.size(); ++update) {
      const std::uint32_t product = gradient_of(update);
      if (product == no_group) continue;
      const Group& gradient = partition_.groups[product];
      const ProductCapabilities can = gradient.provider->capabilities(gradient.spec);
      if (can.fewest_part_rows == 0) continue;
      const Extents& extents = bound_.info(gradient.product).extents;
      const std::int64_t row_bytes = element_count(extents) / extents[0] * 4;
      const std::int64_t bytes = can.rows_alone ? cached_gradient_bytes() : gradient_bytes;
      const std::int64_t fitting = std::max({can.fewest_part_rows, can.paying_part_rows, bytes / row_bytes});
      std::int64_t parts = (extents[0] + fitting - 1) / fitting;
      if (can.rows_alone) {
        const double work = group_ns_[product] + group_ns_[update];
        parts = std::max(parts, most_parts(work, extents[0], can.fewest_part_rows));
      }
      cut_into(parts, extents[0], {product, update});
    }
  }

  /// As much as the cache of this machine has room for: more rows pay better for copies of the cotangents.
  static std::int64_t cached_gradient_bytes() {
    return std::max(gradient_bytes, static_cast<std::int64_t>(second_level_cache_bytes() / 4));
  }

  /// Other products that need the whole batch: a gradient that is clipped by its norm before it is applied.
  void cut_products() {
    for (std::uint32_t product = 0; product < partition_.groups.size(); ++product) {
      const Group& group = partition_.groups[product];
      if (group.kind != GroupKind::product || result_.cut_of[product] != uncut) continue;
      const ProductCapabilities can = group.provider->capabilities(group.spec);
      if (!can.rows_alone || can.fewest_part_rows == 0) continue;
      const std::int64_t rows = group.spec.rows / group.rows_each;
      const std::int64_t parts = most_parts(group_ns_[product], rows, can.fewest_part_rows);
      if (parts > 1) cut_into(parts, rows, {product});
    }
  }

  /// An update by itself goes element by element, and may be cut into rows anywhere; so may what is done to
  /// its gradient element by element before, such as clipping.
  void cut_updates() {
    for (std::uint32_t update = 0; update < partition_.groups.size(); ++update) {
      const Node& node = bound_.node(partition_.groups[update].members.back());
      if (node.op->writes.empty() || result_.cut_of[update] != uncut) continue;
      const Extents& extents = bound_.info(node.inputs[node.op->writes.front()]).extents;
      if (extents.empty()) continue;
      const std::uint32_t before = elementwise_before(node, extents);
      const double work = group_ns_[update] + (before == no_group ? 0 : group_ns_[before]);
      const std::int64_t parts = most_parts(work, extents[0], 1);
      if (parts <= 1) continue;
      if (before == no_group)
        cut_into(parts, extents[0], {update});
      else
        cut_into(parts, extents[0], {before, update});
    }
  }

  /// The group that makes an operand of an update, for it alone and from values of the same shape and
  /// scalars.
  std::uint32_t elementwise_before(const Node& update, const Extents& extents) const {
    for (const NodeId input : update.inputs) {
      const BoundInfo& info = bound_.info(input);
      const std::uint32_t from = partition_.group_of[info.root];
      if (from == no_group || info.root != input || info.fetched || info.uses.size() != 1) continue;
      const Group& group = partition_.groups[from];
      if (result_.cut_of[from] == uncut && group.shape == extents && group.stored.size() == 1 &&
          is_flat(group))
        return from;
    }
    return no_group;
  }

  bool is_flat(const Group& group) const {
    if (group.kind != GroupKind::elementwise || group.rows || group.reduced > 0) return false;
    if (lone_function(bound_, group)) return false;
    return std::ranges::all_of(group.members, [&](NodeId member) {
      return std::ranges::all_of(bound_.node(member).inputs, [&](NodeId input) {
        const Extents& extents = bound_.info(input).extents;
        return extents == group.shape || element_count(extents) == 1;
      });
    });
  }

  /// How many parts so much work makes of which none holds up the others, each of so many rows at least.
  std::int64_t most_parts(double nanoseconds, std::int64_t rows, std::int64_t fewest_rows) const {
    double total = 0;
    for (const double group : group_ns_) total += group;
    const double share =
        std::max(worth_a_slice_ns, total / static_cast<double>(tasks_of_a_worker * workers_));
    const auto parts = static_cast<std::int64_t>(std::ceil(nanoseconds / share));
    return std::clamp<std::int64_t>(parts, 1, std::max<std::int64_t>(1, rows / fewest_rows));
  }

  void cut_into(std::int64_t parts, std::int64_t rows, std::initializer_list<std::uint32_t> groups) {
    for (const std::uint32_t group : groups)
      result_.cut_of[group] = static_cast<std::uint32_t>(result_.cuts.size());
    result_.cuts.push_back(even_shares(rows, parts, 1));
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
    std::set<NodeId> read;
    for (std::uint32_t i = 0; i < partition_.groups.size(); ++i) {
      result_.first_unit.push_back(static_cast<std::uint32_t>(result_.units.size()));
      const Cut& cut = result_.cuts[result_.cut_of[i]];
      std::int64_t rows = 0;
      for (const RowRange& part : cut) rows += part.count;
      for (std::uint32_t slice = 0; slice < cut.size(); ++slice) {
        const double share =
            rows == 0 ? 1 : static_cast<double>(cut[slice].count) / static_cast<double>(rows);
        result_.units.push_back({i, slice, group_ns_[i] * share, group_work_[i] * share, {}});
        result_.units.back().work.other_ns += call_ns;
        if (slice == 0) result_.units.back().work.stored_bytes += bytes_from_afar(i, read);
      }
    }
  }

  /// Of weights that do not stay in a cache from step to step, for a product that is the first to read them:
  /// its first slice brings them near for the others.
  double bytes_from_afar(std::uint32_t index, std::set<NodeId>& read) const {
    const Group& group = partition_.groups[index];
    if (group.kind != GroupKind::product) return 0;
    const NodeId weights = bound_.info(bound_.node(group.product).inputs[1]).root;
    if (!bound_.node(weights).op->traits.variable || !read.insert(weights).second) return 0;
    return moved(static_cast<double>(bound_.bytes(weights))).stored_bytes;
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
      if (partition_.groups[index].kind == GroupKind::total) {
        all_units_before(index - 1, unit);
        continue;
      }
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
    }
    wait_with_readers();
    for (UnitDraft& unit : result_.units) {
      std::ranges::sort(unit.predecessors);
      const auto again = std::ranges::unique(unit.predecessors);
      unit.predecessors.erase(again.begin(), again.end());
    }
  }

  /// What runs beside its reader begins when that can.
  void wait_with_readers() {
    for (std::uint32_t i = 0; i < partition_.groups.size(); ++i) {
      const std::uint32_t reader = blocks_ ? reader_beside(bound_, partition_, i) : no_group;
      if (reader == no_group) continue;
      for (std::uint32_t part = 0; part < result_.parts(i); ++part) {
        const std::uint32_t own = result_.first_unit[i] + part;
        for (const std::uint32_t before : result_.units[result_.first_unit[reader] + part].predecessors)
          if (before < own) result_.units[own].predecessors.push_back(before);
      }
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
      } else if (!partition_.groups[index].ranges.empty() && partition_.groups[from].rows) {
        slices_with(result_.rows_of(result_.units[unit]), from, unit);
      } else if (batch_in_step || result_.gradient_in_step(from, index)) {
        result_.units[unit].predecessors.push_back(result_.first_unit[from] + result_.units[unit].slice);
      } else {
        all_units_before(from, unit);
      }
    }
  }

  /// The slices in which these rows lie.
  void slices_with(const RowRange& rows, std::uint32_t from_group, std::uint32_t unit) {
    for (std::uint32_t i = 0; i < result_.slices().size(); ++i) {
      const RowRange& slice = result_.slices()[i];
      if (slice.begin < rows.begin + rows.count && rows.begin < slice.begin + slice.count)
        result_.units[unit].predecessors.push_back(result_.first_unit[from_group] + i);
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
  Isa isa_;
  bool blocks_;
  Schedule result_;
  std::vector<double> group_ns_;
  std::vector<Work> group_work_;
  std::int64_t workers_ = 1;
};

}  // namespace

Schedule schedule_groups(const BoundGraph& bound, const Partition& partition,
                         const LoweringOptions& options) {
  return Scheduler(bound, partition, options).take();
}

}  // namespace graphrun::runtime
