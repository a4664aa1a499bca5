#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

/// A longer chain gains nothing: its blocks would no longer stay in the first-level cache.
constexpr std::size_t most_members = 40;
/// How many groups a search for a path looks at before it says "there may be one".
constexpr std::size_t search_limit = 256;

class Partitioner {
 public:
  Partitioner(const BoundGraph& bound, const LoweringOptions& options)
      : bound_(bound), options_(options), controlled_(controlled_nodes(bound)) {
    result_.group_of.assign(bound.nodes.size(), no_group);
  }

  Partition run() {
    for (NodeId id = 0; id < bound_.nodes.size(); ++id) {
      if (!bound_.computed(id) || !bound_.info(id).kernel->matmul) continue;
      if (const auto spec = product_spec(id)) claim_product(id, *spec);
    }
    for (NodeId id = static_cast<NodeId>(bound_.nodes.size()); id-- > 0;) {
      if (!bound_.computed(id) || result_.group_of[id] != no_group) continue;
      if (elementwise(id)) {
        place_elementwise(id);
      } else if (const std::uint32_t home = product_for_sum(id); home != no_group) {
        result_.groups[home].column_sum = id;
        claim(result_.groups[home], id);
      } else if (const auto reduced = trailing_reduction(bound_, id)) {
        start_reduction(id, *reduced);
      } else {
        start(GroupKind::call, id);
      }
    }
    drop_empty();
    order_groups(bound_, controlled_, result_);
    for (std::uint32_t i = 0; i < result_.groups.size(); ++i) finish(i);
    return std::move(result_);
  }

 private:
  bool elementwise(NodeId id) const {
    const Node& node = bound_.node(id);
    const KernelDef& kernel = *bound_.info(id).kernel;
    if (!kernel.vector && !kernel.stretch) return false;
    return node.type.dtype == DType::f32 && std::ranges::all_of(node.inputs, [&](NodeId input) {
             return bound_.node(input).type.dtype == DType::f32;
           });
  }

  Group& start(GroupKind kind, NodeId id) {
    result_.group_of[id] = static_cast<std::uint32_t>(result_.groups.size());
    Group& group = result_.groups.emplace_back();
    group.kind = kind;
    group.rows = bound_.info(id).rows;
    group.members = {id};
    group.shape = bound_.info(id).extents;
    reach_.push_back({id, id});
    return group;
  }

  // ---- Products ----

  /// The only thing that is done with a value, if there is only one and it is plain.
  std::optional<Use> only_use(NodeId id) const {
    const BoundInfo& info = bound_.info(id);
    if (info.fetched || info.uses.size() != 1 || !info.uses[0].direct || !controlled_[id].empty()) return {};
    const NodeId user = info.uses[0].user;
    if (bound_.info(user).extents != info.extents || bound_.info(user).rows != info.rows) return {};
    return info.uses[0];
  }

  void claim_product(NodeId id, const MatmulSpec& spec_of_all) {
    Group& group = start(GroupKind::product, id);
    group.product = group.result = id;
    group.spec = spec_of_all;
    const Extents& extents = bound_.info(id).extents;
    for (std::size_t axis = 1; axis + 1 < extents.size(); ++axis) group.rows_each *= extents[axis];
    group.provider = &product_provider(group.spec, options_.provider, options_.isa);
    if (!options_.post_ops) return;
    if (const auto use = only_use(id); use && is_bias(*use)) {
      group.bias = bound_.node(use->user).inputs[1 - use->input];
      group.result = use->user;
      group.spec.bias = true;
      claim(group, use->user);
    }
    const auto use = only_use(group.result);
    if (!use || (options_.fusion && feeds_elementwise_alone(use->user))) return;
    MatmulSpec spec = group.spec;
    spec.activation = activation_of(use->user);
    if (!spec.activation || !group.provider->capabilities(spec).activation) return;
    group.spec = spec;
    group.activation = group.result = use->user;
    claim(group, use->user);
  }

  std::optional<MatmulSpec> product_spec(NodeId id) const {
    const Node& node = bound_.node(id);
    std::optional<MatmulSpec> spec =
        one_product(node.attributes, bound_.info(node.inputs[0]).extents, bound_.info(node.inputs[1]).extents,
                    bound_.info(id).extents);
    if (spec) spec->bf16 = bound_.reads_narrow(id);
    return spec;
  }

  /// A node as what may be done to each element of a product. Nothing when it is none.
  std::optional<Activation> activation_of(NodeId id) const {
    const Node& node = bound_.node(id);
    const KernelDef& kernel = *bound_.info(id).kernel;
    const bool plain = kernel.vector && kernel.vector->arity == 1 && !bound_.info(id).narrow;
    if (!plain || !elementwise(id)) return std::nullopt;
    Activation activation{kernel.vector->function(options_.isa), {}, {}};
    if (kernel.immediates != nullptr) activation.immediates = kernel.immediates(node);
    if (kernel.post_op != nullptr) activation.named = kernel.post_op(node);
    return activation;
  }

  /// Whether an activation is read element by element only, as that of an output by its loss: it then joins
  /// its readers' group, and its values need not leave the first-level cache.
  bool feeds_elementwise_alone(NodeId id) const {
    const BoundInfo& info = bound_.info(id);
    return !info.fetched && !info.uses.empty() && std::ranges::all_of(info.uses, [&](const Use& use) {
      const BoundInfo& user = bound_.info(use.user);
      return use.direct && elementwise(use.user) && user.extents == info.extents && user.rows == info.rows;
    });
  }

  void claim(Group& group, NodeId id) {
    group.members.push_back(id);
    const std::uint32_t index = result_.group_of[group.product];
    result_.group_of[id] = index;
    reach_[index] = {std::min(reach_[index].first, id), std::max(reach_[index].last, id)};
  }

  /// The product that can sum the columns of its right operand for node `id`: a weight gradient reads the
  /// same cotangents whose sum over the batch is the bias gradient.
  std::uint32_t product_for_sum(NodeId id) {
    const Node& node = bound_.node(id);
    if (!options_.post_ops || !sums_rows(id) || !controlled_[id].empty()) return no_group;
    const NodeId summed = bound_.info(node.inputs[0]).root;
    if (summed != node.inputs[0]) return no_group;
    for (const Use& use : bound_.info(summed).uses) {
      const std::uint32_t index = result_.group_of[use.user];
      if (index != no_group &&
          reads_columns(result_.groups[index], use, bound_.info(summed).extents.back()) &&
          !path(std::span(&id, 1), no_group, index)) {
        return index;
      }
    }
    return no_group;
  }

  bool reads_columns(const Group& group, const Use& use, std::int64_t columns) const {
    if (group.kind != GroupKind::product || group.product != use.user || group.rows) return false;
    if (use.input != 1 || group.column_sum || group.result != group.product) return false;
    // As it is, or as the rows of a matrix.
    if (group.spec.transpose_b || group.spec.columns != columns) return false;
    MatmulSpec spec = group.spec;
    spec.column_sums = true;
    return group.provider->capabilities(spec).column_sums;
  }

  /// Whether a node is the sum over all axes but the last.
  bool sums_rows(NodeId id) const {
    const BoundInfo& info = bound_.info(id);
    if (info.kernel->reduction != ReductionKind::sum || info.rows) return false;
    const Node& node = bound_.node(id);
    const Extents& extents = bound_.info(node.inputs[0]).extents;
    const Axes& axes = node.attributes.axes("axis");
    if (node.type.dtype != DType::f32 || extents.size() < 2 || axes.all) return false;
    std::set<std::size_t> summed;
    for (const std::int64_t axis : axes.list)
      if (const auto at = normalised_axis(axis, extents.size())) summed.insert(*at);
    return summed.size() + 1 == extents.size() && !summed.contains(extents.size() - 1);
  }

  /// Of one row, what is added to a product is as long as a bias, and may be a product itself: the sum of two
  /// rides on one of them.
  bool is_bias(const Use& use) const {
    const BoundInfo& sum = bound_.info(use.user);
    if (!sum.kernel->addition || result_.group_of[use.user] != no_group) return false;
    const NodeId other = bound_.node(use.user).inputs[1 - use.input];
    const Extents& extents = bound_.info(other).extents;
    return !extents.empty() && extents.back() == sum.extents.back() &&
           element_count(extents) == sum.extents.back() && sum.extents.back() > 0 &&
           bound_.info(other).root != bound_.info(use.user).root;
  }

  // ---- Elementwise groups ----

  void place_elementwise(NodeId id) {
    std::uint32_t home = no_group;
    if (options_.fusion && controlled_[id].empty()) {
      for (const Use& use : bound_.info(id).uses) {
        const std::uint32_t other = result_.group_of[use.user];
        if (other == home || !takes(other, id)) continue;
        if (home == no_group) {
          if (path(std::span(&id, 1), no_group, other)) continue;
          home = other;
          result_.groups[home].members.push_back(id);
          result_.group_of[id] = home;
          reach_[home].first = id;
        } else if (mergeable(home, other)) {
          home = merge(home, other);
        }
      }
    }
    if (home == no_group) start(GroupKind::elementwise, id);
  }

  bool takes(std::uint32_t index, NodeId id) const {
    const Group& group = result_.groups[index];
    return group.kind == GroupKind::elementwise && group.shape == bound_.info(id).extents &&
           group.rows == bound_.info(id).rows && group.members.size() < most_members;
  }

  bool mergeable(std::uint32_t a, std::uint32_t b) {
    const Group& first = result_.groups[a];
    const Group& second = result_.groups[b];
    const bool folds_fit = first.reduced == 0 || second.reduced == 0 || first.reduced == second.reduced;
    return folds_fit && first.members.size() + second.members.size() <= most_members &&
           !path(first.members, a, b) && !path(second.members, b, a);
  }

  std::uint32_t merge(std::uint32_t a, std::uint32_t b) {
    if (result_.groups[a].members.size() < result_.groups[b].members.size()) std::swap(a, b);
    Group& into = result_.groups[a];
    Group& from = result_.groups[b];
    for (const NodeId member : from.members) result_.group_of[member] = a;
    into.members.insert(into.members.end(), from.members.begin(), from.members.end());
    into.reduced = std::max(into.reduced, from.reduced);
    reach_[a] = {std::min(reach_[a].first, reach_[b].first), std::max(reach_[a].last, reach_[b].last)};
    from.members.clear();
    return a;
  }

  void start_reduction(NodeId id, std::int64_t reduced) {
    Group& group = start(GroupKind::elementwise, id);
    group.shape = bound_.info(bound_.node(id).inputs[0]).extents;
    group.reduced = reduced;
  }

  /// Whether a use hands an element on to the same element, so that both may be in one group.
  bool stays_in_step(NodeId producer, const Use& use, const Group& group) const {
    return use.direct && bound_.info(producer).extents == group.shape && elementwise(producer);
  }

  /// Whether the values of `members` (of group `from`) reach group `to` other than element by element: then
  /// they cannot be one group. Says yes when the search takes too long.
  bool path(std::span<const NodeId> members, std::uint32_t from, std::uint32_t to) {
    seen_.resize(result_.groups.size(), 0);
    ++search_;
    // A value is used by later nodes only: what begins behind the last node of `to` seldom leads there. (It
    // does through a group with earlier members; see order_groups().)
    last_ = reach_[to].last;
    std::vector<std::uint32_t> pending;
    for (const NodeId member : members) {
      for (const Use& use : bound_.info(member).uses) {
        const std::uint32_t next = result_.group_of[use.user];
        if (next == from) continue;
        if (next != to) {
          visit(next, pending);
        } else if (!stays_in_step(member, use, result_.groups[to])) {
          return true;
        }
      }
    }
    for (std::size_t looked = 0; !pending.empty(); ++looked) {
      if (looked == search_limit) return true;
      const std::uint32_t group = pending.back();
      pending.pop_back();
      for (const NodeId member : result_.groups[group].members) {
        for (const Use& use : bound_.info(member).uses) {
          if (result_.group_of[use.user] == to) return true;
          visit(result_.group_of[use.user], pending);
        }
        for (const NodeId user : controlled_[member]) {
          if (result_.group_of[user] == to) return true;
          visit(result_.group_of[user], pending);
        }
      }
    }
    return false;
  }

  void visit(std::uint32_t group, std::vector<std::uint32_t>& pending) {
    if (std::exchange(seen_[group], search_) == search_) return;
    if (reach_[group].first < last_) pending.push_back(group);
  }

  // ---- The end ----

  void drop_empty() {
    std::vector<std::uint32_t> moved(result_.groups.size(), no_group);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < result_.groups.size(); ++i) {
      if (result_.groups[i].members.empty()) continue;
      moved[i] = static_cast<std::uint32_t>(kept);
      if (kept != i) result_.groups[kept] = std::move(result_.groups[i]);
      ++kept;
    }
    result_.groups.resize(kept);
    for (std::uint32_t& group : result_.group_of) {
      if (group != no_group) group = moved[group];
    }
  }

  /// Which values of a group others read.
  void finish(std::uint32_t index) {
    Group& group = result_.groups[index];
    for (const NodeId member : group.members) {
      const BoundInfo& info = bound_.info(member);
      const bool read_outside = std::ranges::any_of(
          info.uses, [&](const Use& use) { return result_.group_of[use.user] != index || !use.direct; });
      if (bound_.node(member).op->traits.effect) continue;
      if (read_outside || info.fetched || group.members.size() == 1 || options_.keep_values) {
        group.stored.push_back(member);
      }
    }
  }

  const BoundGraph& bound_;
  const LoweringOptions& options_;
  const std::vector<std::vector<NodeId>> controlled_;
  Partition result_;
  struct Reach {
    NodeId first;  ///< the lowest of its members
    NodeId last;
  };
  std::vector<Reach> reach_;  // by group, until they are put in order
  std::vector<std::uint32_t> seen_;
  std::uint32_t search_ = 0;
  NodeId last_ = 0;  // of the group that is searched for
};

std::string_view to_string(GroupKind kind) {
  switch (kind) {
    case GroupKind::product:
      return "product";
    case GroupKind::elementwise:
      return "elementwise";
    case GroupKind::call:
      return "call";
    case GroupKind::total:
      return "total";
  }
  return "";
}

}  // namespace

std::optional<std::int64_t> trailing_reduction(const BoundGraph& bound, NodeId id) {
  const Node& node = bound.node(id);
  if (!bound.info(id).kernel->reduction) return std::nullopt;
  const Axes& axes = node.attributes.axes("axis");
  const Extents& extents = bound.info(node.inputs[0]).extents;
  std::vector<bool> reduced(extents.size(), axes.all);
  for (const std::int64_t axis : axes.list) {
    if (const auto normal = normalised_axis(axis, extents.size())) reduced[*normal] = true;
  }
  const auto first = std::ranges::find(reduced, true);
  if (first == reduced.end() || std::find(first, reduced.end(), false) != reduced.end()) return std::nullopt;
  const auto begin = extents.begin() + (first - reduced.begin());
  const std::int64_t count = element_count(std::span(begin, extents.end()));
  // Fewer than one element to fold is for the op's own kernel.
  return count > 0 ? std::optional(count) : std::nullopt;
}

Partition partition_graph(const BoundGraph& bound, const LoweringOptions& options) {
  return Partitioner(bound, options).run();
}

std::string to_string(const BoundGraph& bound, const Partition& partition) {
  std::string text;
  for (std::size_t i = 0; i < partition.groups.size(); ++i) {
    const Group& group = partition.groups[i];
    text += fmt::format("{} {} {}", i, group.rows ? "rows" : "whole", to_string(group.kind));
    for (const NodeId member : group.members) text += fmt::format(" {}", bound.node(member).name);
    if (!group.stored.empty()) text += " ->";
    for (const NodeId stored : group.stored) text += fmt::format(" {}", bound.node(stored).name);
    text += '\n';
  }
  return text;
}

}  // namespace graphrun::runtime
