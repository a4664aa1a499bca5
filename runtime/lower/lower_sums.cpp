#include <algorithm>
#include <vector>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

/// Round figures of one core, as in the cost model of schedules; here bits follow them.
constexpr double flop_per_ns = 100;
constexpr double bytes_per_ns = 20;
/// What a part must have to do, and how much of it adding up the parts may take.
constexpr double worth_a_part_ns = 40'000;
constexpr double share_of_adding = 0.05;
constexpr std::int64_t fewest_rows = 16;
constexpr std::int64_t most_parts = 16;
constexpr std::int64_t row_step = 16;  // as of slices: a part then lies within one if it can

/// Whether a node is a sum of products over the rows of the batch, which both of its operands have.
bool sums_over_batch(const BoundGraph& bound, NodeId id) {
  const Node& node = bound.node(id);
  if (!node.op->traits.products || node.op->axes == nullptr || node.op->cost == nullptr) return false;
  std::vector<Type> inputs;
  for (const NodeId input : node.inputs) inputs.push_back(bound.node(input).type);
  const auto by_rows = [](const Type& type) { return !type.shape.empty() && type.shape[0].is_batch(); };
  const std::vector<AxisMap> maps = node.op->axes({inputs, node.type, node.attributes});
  return std::ranges::all_of(inputs, by_rows) &&
         std::ranges::all_of(maps, [](const AxisMap& map) { return map[0] == contracted; });
}

std::int64_t parts_of(const BoundGraph& bound, NodeId id) {
  const Node& node = bound.node(id);
  std::vector<Extents> inputs;
  for (const NodeId input : node.inputs) inputs.push_back(bound.info(input).extents);
  const double nanoseconds =
      node.op->cost({inputs, bound.info(id).extents, node.attributes}).flop / flop_per_ns;
  const double adding_ns = 2 * static_cast<double>(bound.bytes(id)) / bytes_per_ns;
  const double worth = std::min(nanoseconds / worth_a_part_ns, nanoseconds * share_of_adding / adding_ns);
  return std::min({static_cast<std::int64_t>(std::min(worth, static_cast<double>(most_parts))),
                   bound.batch / fewest_rows, most_parts});
}

Cut ranges_of(std::int64_t rows, std::int64_t parts) {
  const std::int64_t step = (rows + parts * row_step - 1) / (parts * row_step) * row_step;
  Cut ranges;
  for (std::int64_t begin = 0; begin < rows; begin += step) {
    ranges.push_back({begin, std::min(step, rows - begin)});
  }
  return ranges;
}

Group total_of(Group& parts) {
  Group total;
  total.kind = GroupKind::total;
  total.members = parts.members;
  total.shape = parts.shape;
  total.stored = std::move(parts.stored);
  parts.stored.clear();
  return total;
}

}  // namespace

void cut_sums(const BoundGraph& bound, Partition& partition) {
  std::vector<Group> groups;
  for (Group& group : partition.groups) {
    const NodeId id = group.members.front();
    const bool sum = group.kind == GroupKind::call && !group.rows && sums_over_batch(bound, id);
    const std::int64_t parts = sum ? parts_of(bound, id) : 1;
    groups.push_back(std::move(group));
    if (parts < 2) continue;
    groups.back().ranges = ranges_of(bound.batch, parts);
    Group total = total_of(groups.back());
    groups.push_back(std::move(total));
  }
  partition.groups = std::move(groups);
  for (std::uint32_t i = 0; i < partition.groups.size(); ++i) {
    for (const NodeId member : partition.groups[i].members) partition.group_of[member] = i;
  }
}

}  // namespace graphrun::runtime
