#include <algorithm>
#include <functional>
#include <queue>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

/// Kahn's algorithm over groups: among those that can run, the one whose last node was written first;
/// updates last. Where all that are left wait for each other, a group is taken apart into what of it can
/// run and the rest. Searching for paths while groups grow keeps that rare, but does not see every circle;
/// that there is none in the end holds by this construction.
class GroupOrder {
 public:
  GroupOrder(const BoundGraph& bound, const std::vector<std::vector<NodeId>>& controlled,
             Partition& partition)
      : bound_(bound), controlled_(controlled), result_(partition) {}

  void run() {
    for (Group& group : result_.groups) std::ranges::sort(group.members);
    count_waits();
    std::vector<Group> ordered;
    for (std::uint32_t index = next_group(); index != no_group; index = next_group()) {
      ordered.push_back(take_ready(result_.groups[index]));
    }
    if (std::ranges::any_of(result_.groups, [](const Group& group) { return !group.members.empty(); })) {
      throw Error(ErrorCode::internal, "the nodes of a plan wait for each other in a circle");
    }
    result_.groups = std::move(ordered);
    for (std::uint32_t i = 0; i < result_.groups.size(); ++i) {
      for (const NodeId member : result_.groups[i].members) result_.group_of[member] = i;
    }
  }

 private:
  void count_waits() {
    writer_of_.assign(bound_.nodes.size(), no_node);
    node_waits_.assign(bound_.nodes.size(), 0);
    group_waits_.assign(result_.groups.size(), 0);
    each_computed([&](NodeId id) {
      for (const std::size_t input : bound_.node(id).op->writes) {
        writer_of_[bound_.info(bound_.node(id).inputs[input]).root] = id;
      }
    });
    each_computed([&](NodeId id) {
      each_follower(id, [&](NodeId follower) {
        ++node_waits_[follower];
        if (result_.group_of[follower] != result_.group_of[id]) ++group_waits_[result_.group_of[follower]];
      });
    });
    each_computed([&](NodeId id) {
      if (node_waits_[id] == 0) ready_nodes_.push(id);
    });
    for (std::uint32_t i = 0; i < result_.groups.size(); ++i) {
      if (group_waits_[i] == 0) push(i);
    }
  }

  template <class Visit>
  void each_computed(Visit visit) const {
    for (NodeId id = 0; id < bound_.nodes.size(); ++id) {
      if (bound_.computed(id)) visit(id);
    }
  }

  /// All that must come after a node: what uses its value, what waits for it, what writes a variable that it
  /// reads.
  template <class Visit>
  void each_follower(NodeId id, Visit visit) const {
    for (const Use& use : bound_.info(id).uses) visit(use.user);
    for (const NodeId user : controlled_[id]) visit(user);
    for (const NodeId input : bound_.node(id).inputs) {
      const NodeId writer = writer_of_[bound_.info(input).root];
      if (writer != no_node && writer != id) visit(writer);
    }
  }

  void push(std::uint32_t index) {
    const NodeId last = result_.groups[index].members.back();
    const std::uint64_t late = bound_.node(last).op->writes.empty() ? 0 : 1;
    ready_groups_.emplace((late << 32) + last, index);
  }

  /// One that can run, or that can run in part when none can as a whole; no_group at the end.
  std::uint32_t next_group() {
    if (!ready_groups_.empty()) {
      const std::uint32_t index = ready_groups_.top().second;
      ready_groups_.pop();
      return index;
    }
    for (; !ready_nodes_.empty(); ready_nodes_.pop()) {
      const NodeId id = ready_nodes_.top();
      const Group& group = result_.groups[result_.group_of[id]];
      // A product waits with its bias and activation: what they wait for does not wait for it.
      const bool divisible = group.kind == GroupKind::elementwise || group.column_sum == id;
      if (divisible && std::ranges::binary_search(group.members, id)) return result_.group_of[id];
    }
    return no_group;
  }

  /// Takes the members that can run, in order, out of their group. An order of the nodes is one of the
  /// members, so that a group that is ready goes as a whole.
  Group take_ready(Group& group) {
    Group taken = group;
    taken.members.clear();
    std::vector<NodeId> left;
    for (const NodeId member : group.members) {
      if (node_waits_[member] > 0) {
        left.push_back(member);
        continue;
      }
      taken.members.push_back(member);
      each_follower(member, [&](NodeId follower) { release(member, follower); });
    }
    group.members = std::move(left);
    if (!group.members.empty()) {
      if (group.kind == GroupKind::product) make_call(taken);
      group.column_sum.reset();
      forget_missing_reductions(group);
      forget_missing_reductions(taken);
    }
    return taken;
  }

  void release(NodeId member, NodeId follower) {
    if (--node_waits_[follower] == 0) ready_nodes_.push(follower);
    const std::uint32_t theirs = result_.group_of[follower];
    if (theirs != result_.group_of[member] && --group_waits_[theirs] == 0) push(theirs);
  }

  /// Of a sum of columns that its product cannot make, because the product waits for it.
  void make_call(Group& group) const {
    const NodeId id = group.members.front();
    group = {};
    group.members = {id};
    group.rows = bound_.info(id).rows;
    group.shape = bound_.info(id).extents;
  }

  void forget_missing_reductions(Group& group) const {
    const bool reduces = std::ranges::any_of(
        group.members, [&](NodeId member) { return bound_.info(member).kernel->reduction.has_value(); });
    if (!reduces) group.reduced = 0;
  }
  const BoundGraph& bound_;
  const std::vector<std::vector<NodeId>>& controlled_;
  Partition& result_;
  // While groups are put in order: what each still waits for, and who can run.
  static constexpr NodeId no_node = ~NodeId{0};
  std::vector<NodeId> writer_of_;  // by variable
  std::vector<std::uint32_t> node_waits_;
  std::vector<std::uint32_t> group_waits_;
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready_nodes_;
  using Key = std::pair<std::uint64_t, std::uint32_t>;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> ready_groups_;
};

}  // namespace

std::vector<std::vector<NodeId>> controlled_nodes(const BoundGraph& bound) {
  std::vector<std::vector<NodeId>> controlled(bound.nodes.size());
  for (NodeId id = 0; id < bound.nodes.size(); ++id) {
    if (!bound.computed(id)) continue;
    for (const NodeId written : bound.node(id).controls) {
      const NodeId control = bound.info(written).root;
      if (bound.computed(control)) controlled[control].push_back(id);
    }
  }
  return controlled;
}

void order_groups(const BoundGraph& bound, const std::vector<std::vector<NodeId>>& controlled,
                  Partition& partition) {
  GroupOrder(bound, controlled, partition).run();
}

}  // namespace graphrun::runtime
