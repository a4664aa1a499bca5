#include "runtime/shards/own_updates.hpp"

#include <algorithm>
#include <utility>

#include "runtime/shards/team.hpp"

namespace graphrun::runtime {
namespace {

/// Fewer elements are not worth a message of their own: each member updates all of them.
constexpr std::int64_t worth_a_message = 4096;

constexpr std::string_view own_suffix = "/own";

std::int64_t elements_of(const Node& node) {
  return element_count(graphrun::bind(node.type.shape, 1));
}

class Owner {
 public:
  Owner(const Graph& graph, const OpRegistry& registry, const std::set<std::string>& sums, int member,
        int members)
      : graph_(graph),
        sums_(sums),
        member_(member),
        members_(members),
        builder_(registry),
        needs_whole_(graph.size()),
        needs_part_(graph.size()),
        whole_(graph.size()),
        part_(graph.size()) {}

  OwnUpdates make() {
    mark();
    for (NodeId id = 0; id < graph_.size(); ++id) {
      builder_.set_origin(graph_.node(id).origin);
      if (needs_whole_[id]) whole_[id] = add_whole(id);
      if (needs_part_[id]) part_[id] = add_part(id);
    }
    // Last, since they wait for whoever reads what they write.
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (is_divided(id)) add_update(id);
    for (const NamedOutput& output : graph_.outputs()) builder_.output(output.name, whole_[output.node]);
    result_.graph = std::make_shared<const Graph>(std::move(builder_).finish());
    return std::move(result_);
  }

 private:
  // ---- Who needs what ----

  void mark() {
    for (const NamedOutput& output : graph_.outputs()) needs_whole_[output.node] = true;
    for (auto id = static_cast<NodeId>(graph_.size()); id-- > 0;) {
      const Node& node = graph_.node(id);
      const bool divided = is_divided(id);
      if (node.op->traits.effect && !divided) needs_whole_[id] = true;
      if (needs_part_[id] && !has_part(node)) needs_whole_[id] = true;
      if (!divided && !needs_whole_[id] && !needs_part_[id]) continue;
      if (divided || needs_part_[id]) mark_parts(node, shape_of(node));
      if (needs_whole_[id])
        for (const NodeId input : node.inputs) needs_whole_[input] = true;
      if (needs_whole_[id] || divided)
        for (const NodeId control : node.controls) needs_whole_[control] = true;
    }
  }

  void mark_parts(const Node& node, const Shape& shape) {
    if (!node.op->traits.by_element && !is_element_by_element(node)) return;
    for (const NodeId input : node.inputs)
      (graph_.node(input).type.shape == shape ? needs_part_ : needs_whole_)[input] = true;
  }

  /// Of an effect: of the variable that it writes.
  const Shape& shape_of(const Node& node) const {
    return node.op->traits.by_element ? graph_.node(node.inputs[node.op->writes.front()]).type.shape
                                      : node.type.shape;
  }

  bool is_divided(NodeId id) const {
    const Node& node = graph_.node(id);
    if (!node.op->traits.by_element) return false;
    const std::int64_t elements = elements_of(graph_.node(node.inputs[node.op->writes.front()]));
    return elements >= std::max<std::int64_t>(worth_a_message, std::int64_t{member_grain} * members_);
  }

  /// Can its part be had without the rest of it?
  bool has_part(const Node& node) const {
    return node.op->traits.variable || sums_.contains(node.name) || is_element_by_element(node);
  }

  bool is_element_by_element(const Node& node) const {
    return node.op->traits.elementwise && !node.op->traits.random && !node.inputs.empty() &&
           node.controls.empty() && std::ranges::all_of(node.inputs, [&](NodeId input) {
             const Shape& shape = graph_.node(input).type.shape;
             return shape == node.type.shape || shape.empty();
           });
  }

  // ---- The new graph ----

  std::vector<NodeId> whole_of(const std::vector<NodeId>& ids) const {
    std::vector<NodeId> made;
    for (const NodeId id : ids) made.push_back(whole_[id]);
    return made;
  }

  NodeId add_whole(NodeId id) {
    const Node& node = graph_.node(id);
    return builder_.add_like(node, whole_of(node.inputs), whole_of(node.controls));
  }

  std::vector<NodeId> parts_of(const Node& node) const {
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs)
      inputs.push_back(graph_.node(input).type.shape == shape_of(node) ? part_[input] : whole_[input]);
    return inputs;
  }

  NodeId add_part(NodeId id) {
    const Node& node = graph_.node(id);
    const ShardRange own = part_of_member(elements_of(node), member_, members_);
    const Shape shape = {Dim::number(own.count)};
    if (node.op->traits.variable) return add_variable(id, own);
    if (sums_.contains(node.name))
      return builder_.add("input", {}, {{"shape", shape}, {"dtype", std::string(to_string(node.type.dtype))}},
                          {.name = own_part_name(node.name)});
    if (is_element_by_element(node))
      return builder_.add(node.op->name, parts_of(node), node.attributes, {.name = own_part_name(node.name)});
    const NodeId line =
        builder_.add("reshape", {whole_[id]}, {{"shape", Shape{Dim::number(elements_of(node))}}});
    return builder_.add("slice", {line},
                        {{"axis", std::int64_t{0}}, {"start", own.begin}, {"stop", own.begin + own.count}});
  }

  NodeId add_variable(NodeId id, const ShardRange& own) {
    const Node& node = graph_.node(id);
    const bool slot = is_slot(id);
    (slot ? result_.slots : result_.weights)
        .push_back({node.name, graphrun::bind(node.type.shape, 1), static_cast<std::size_t>(own.begin),
                    static_cast<std::size_t>(own.count), node.attributes.initializer("init")});
    return builder_.add("param", {},
                        {{"shape", Shape{Dim::number(own.count)}},
                         {"init", node.attributes.initializer("init")},
                         {"trainable", false}},
                        {.name = slot ? node.name : own_part_name(node.name)});
  }

  /// Is it updated beside a weight?
  bool is_slot(NodeId id) const {
    return std::ranges::any_of(graph_.nodes(), [&](const Node& node) {
      const std::vector<std::size_t>& writes = node.op->writes;
      return node.op->traits.by_element && std::any_of(writes.begin() + 1, writes.end(),
                                                       [&](std::size_t i) { return node.inputs[i] == id; });
    });
  }

  void add_update(NodeId id) {
    const Node& node = graph_.node(id);
    const NodeId variable = node.inputs[node.op->writes.front()];
    std::vector<NodeId> controls = whole_of(node.controls);
    for (NodeId reader = 0; reader < graph_.size(); ++reader)
      if (needs_whole_[reader] && std::ranges::count(graph_.node(reader).inputs, variable) > 0)
        controls.push_back(whole_[reader]);
    builder_.add_like(node, parts_of(node), std::move(controls));
  }

  const Graph& graph_;
  const std::set<std::string>& sums_;
  int member_;
  int members_;
  Builder builder_;
  std::vector<bool> needs_whole_;
  std::vector<bool> needs_part_;
  std::vector<NodeId> whole_;
  std::vector<NodeId> part_;
  OwnUpdates result_;
};

}  // namespace

std::string own_part_name(const std::string& name) {
  return name + std::string(own_suffix);
}

bool is_own_part_name(std::string_view name, std::string_view of) {
  return name.size() == of.size() + own_suffix.size() && name.starts_with(of) && name.ends_with(own_suffix);
}

OwnUpdates own_updates(const Graph& graph, const OpRegistry& registry, const std::set<std::string>& sums,
                       int member, int members) {
  return Owner(graph, registry, sums, member, members).make();
}

}  // namespace graphrun::runtime
