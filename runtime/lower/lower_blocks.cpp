#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

/// What a block reads and writes stays in a second-level cache.
constexpr std::size_t block_bytes = std::size_t{512} << 10;
/// Convolutions take so many images at once.
constexpr std::int64_t block_step = 8;
/// Calls with fewer FLOP for each byte of theirs move rows rather than make products.
constexpr double fewest_product_flop = 5;
/// Weights are read, and mostly laid out anew, for each block: so many FLOP for each of their bytes take
/// sixteen times as long.
constexpr double worth_reading_flop = 160;

class BlockCutter {
 public:
  BlockCutter(const BoundGraph& bound, const Partition& partition, Schedule& schedule)
      : bound_(bound), partition_(partition), result_(schedule) {}

  void run() {
    for (const TaskDraft& task : result_.tasks) {
      const std::span<const std::uint32_t> units = task.units;
      for (std::size_t begin = 0; begin < units.size();) {
        const std::size_t end = end_of_stretch(units, begin);
        if (end > begin + 1) cut(units.subspan(begin, end - begin));
        begin = std::max(end, begin + 1);
      }
    }
  }

 private:
  const Group& group(std::uint32_t unit) const { return partition_.groups[result_.units[unit].group]; }

  /// Rows of the batch, one by one. Products are left whole: each would read all of its weights again.
  bool goes_by_rows(std::uint32_t unit) const {
    const Group& it = group(unit);
    if (!it.rows || it.kind == GroupKind::product) return false;
    return it.kind != GroupKind::call || may_read_weights_again(it.members.front());
  }

  /// Whether the fewest rows of a block are work enough for the weights: what is not read row by row.
  bool may_read_weights_again(NodeId id) const {
    const Cost cost = bound_.cost(id);
    if (cost.flop < fewest_product_flop * cost.bytes) return true;
    const std::vector<NodeId>& inputs = bound_.node(id).inputs;
    double bytes = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (!bound_.sliced_input(id, i)) bytes += static_cast<double>(bound_.bytes(inputs[i]));
    const double blocks = static_cast<double>(bound_.batch) / static_cast<double>(block_step);
    return cost.flop >= worth_reading_flop * bytes * blocks;
  }

  /// Begins with a unit that goes by rows; parts of sums over the same rows may come behind it.
  std::size_t end_of_stretch(std::span<const std::uint32_t> units, std::size_t begin) const {
    if (!goes_by_rows(units[begin])) return begin;
    const std::uint32_t slice = result_.units[units[begin]].slice;
    const auto belongs = [&](std::uint32_t unit) {
      if (goes_by_rows(unit)) return result_.units[unit].slice == slice;
      return !group(unit).ranges.empty() && result_.slice_with(result_.rows_of(result_.units[unit])) == slice;
    };
    std::size_t end = begin;
    while (end < units.size() && belongs(units[end])) ++end;
    return end;
  }

  void cut(std::span<const std::uint32_t> stretch) {
    const auto fitting =
        static_cast<std::int64_t>(block_bytes / std::max<std::size_t>(1, row_bytes(stretch)));
    const std::int64_t rows = std::max(block_step, fitting / block_step * block_step);
    if (rows >= result_.rows_of(result_.units[stretch.front()]).count) return;
    for (const std::uint32_t unit : stretch) {
      result_.block_rows[unit] = rows;
      result_.position_of[unit] = result_.position_of[stretch.front()];
    }
  }

  /// What a row of all that the units read and store takes, each value once.
  std::size_t row_bytes(std::span<const std::uint32_t> stretch) const {
    std::set<NodeId> values;
    for (const std::uint32_t unit : stretch) {
      values.insert(group(unit).stored.begin(), group(unit).stored.end());
      for (const NodeId member : group(unit).members)
        for (std::size_t i = 0; i < bound_.node(member).inputs.size(); ++i)
          if (bound_.sliced_input(member, i)) values.insert(bound_.info(bound_.node(member).inputs[i]).root);
    }
    std::size_t bytes = 0;
    for (const NodeId value : values)
      if (is_stored(value))
        bytes += bound_.bytes(value) / static_cast<std::size_t>(std::max<std::int64_t>(1, bound_.batch));
    return bytes;
  }

  /// Not a link within a chain.
  bool is_stored(NodeId value) const {
    const std::uint32_t index = partition_.group_of[value];
    return index == no_group ||
           std::ranges::find(partition_.groups[index].stored, value) != partition_.groups[index].stored.end();
  }

  const BoundGraph& bound_;
  const Partition& partition_;
  Schedule& result_;
};

/// Whether some node waits for this one without reading it.
bool is_waited_for(const BoundGraph& bound, NodeId id) {
  return std::ranges::any_of(bound.graph->nodes(), [&](const Node& node) {
    return std::ranges::find(node.controls, id) != node.controls.end();
  });
}

}  // namespace

std::uint32_t reader_beside(const BoundGraph& bound, const Partition& partition, std::uint32_t index) {
  const Group& group = partition.groups[index];
  if (group.kind != GroupKind::call || !group.rows || group.stored.size() != 1) return no_group;
  const NodeId made = group.stored.front();
  const BoundInfo& info = bound.info(made);
  if (bound.bytes(made) < block_bytes || info.fetched || info.uses.empty()) return no_group;
  const std::uint32_t reader = partition.group_of[info.uses.front().user];
  const bool alone =
      std::ranges::all_of(info.uses, [&](const Use& use) { return partition.group_of[use.user] == reader; });
  if (!alone || !partition.groups[reader].rows || partition.groups[reader].kind == GroupKind::product)
    return no_group;
  std::size_t read = 0;
  for (const NodeId input : bound.node(made).inputs) {
    const NodeId root = bound.info(input).root;
    const bool by_both = std::ranges::any_of(
        bound.info(root).uses, [&](const Use& use) { return partition.group_of[use.user] == reader; });
    if (!by_both) read += bound.bytes(root);
  }
  return read < bound.bytes(made) && !is_waited_for(bound, made) ? reader : no_group;
}

void move_to_readers(const BoundGraph& bound, Partition& partition) {
  std::vector<std::vector<std::uint32_t>> before(partition.groups.size());
  std::vector<bool> moves(partition.groups.size(), false);
  for (std::uint32_t i = 0; i < partition.groups.size(); ++i) {
    const std::uint32_t reader = reader_beside(bound, partition, i);
    if (reader == no_group) continue;
    before[reader].push_back(i);
    moves[i] = true;
  }
  std::vector<Group> groups;
  // A reader may be moved itself.
  const auto add = [&](auto& self, std::uint32_t index) -> void {
    for (const std::uint32_t other : before[index]) self(self, other);
    groups.push_back(std::move(partition.groups[index]));
  };
  for (std::uint32_t i = 0; i < moves.size(); ++i) {
    if (!moves[i]) add(add, i);
  }
  partition.groups = std::move(groups);
  for (std::uint32_t i = 0; i < partition.groups.size(); ++i)
    for (const NodeId member : partition.groups[i].members) partition.group_of[member] = i;
}

void cut_into_blocks(const BoundGraph& bound, const Partition& partition, Schedule& schedule) {
  BlockCutter(bound, partition, schedule).run();
}

}  // namespace graphrun::runtime
