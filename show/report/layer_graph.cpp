#include "show/report/layer_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "graph/op.hpp"

namespace graphrun::show {

namespace {

constexpr std::string_view term_prefix = "loss.";

bool has_written_name(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  return node.name != fmt::format("{}:{}", node.op->name, id);
}

bool is_parameter_like(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op->traits.variable) return true;
  // A tied weight is a view of another.
  return node.op->name == "transpose" && graph.node(node.inputs[0]).op->traits.variable;
}

class Grouping {
 public:
  explicit Grouping(const ModelDefinition& model) : model_(model), graph_(model.graph) {
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (has_written_name(graph_, id)) names_.insert(graph_.node(id).name);
    for (const ModelTerm& term : model_.loss) terms_.insert(term_name(term));
    name_groups();
    collect();
  }

  LayerGraph result() {
    LayerGraph graph;
    std::map<std::string, std::size_t> number;
    for (const auto& [last, name] : order_) {
      number[name] = graph.layers.size();
      graph.layers.push_back(layer(name, last));
    }
    std::set<std::pair<std::size_t, std::size_t>> edges;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (group_[id].empty()) continue;
      for (const NodeId input : graph_.node(id).inputs)
        if (!group_[input].empty()) edges.insert({number.at(group_[input]), number.at(group_[id])});
    }
    for (const ModelTerm& term : model_.loss) {
      const std::string& source = group_[term.node];
      edges.insert({number.at(source), number.at(term_name(term))});
    }
    for (const auto& [from, to] : edges)
      if (from < to) graph.edges.push_back({from, to});
    return graph;
  }

 private:
  static std::string term_name(const ModelTerm& term) { return std::string(term_prefix) + term.name; }

  bool has_parts(const std::string& name) const {
    const auto next = names_.upper_bound(name + ".");
    return next != names_.end() && next->starts_with(name + ".");
  }

  /// The longest name above this one that a node has: "fake" of "fake.y.product".
  std::optional<std::string> above(std::string name) const {
    for (std::size_t dot = name.rfind('.'); dot != std::string::npos; dot = name.rfind('.')) {
      name.resize(dot);
      if (names_.contains(name)) return name;
    }
    return std::nullopt;
  }

  std::string written_group(NodeId id) const {
    const std::string& name = graph_.node(id).name;
    if (const std::size_t call = name.find_first_of("/:"); call != std::string::npos)
      return name.substr(0, call);
    for (const std::string& term : terms_)
      if (name.starts_with(term + ".")) return term;
    return has_parts(name) ? name : above(name).value_or(name);
  }

  void name_groups() {
    group_.resize(graph_.size());
    for (const ModelTerm& term : model_.loss) {
      if (!has_written_name(graph_, term.node)) group_[term.node] = term_name(term);
    }
    std::vector<bool> needed(graph_.size(), false);
    for (const NamedOutput& role : model_.roles) needed[role.node] = true;
    for (const ModelTerm& term : model_.loss) needed[term.node] = true;
    // From users to what they use: what has no name goes to its first user.
    for (NodeId id = static_cast<NodeId>(graph_.size()); id-- > 0;) {
      if (!needed[id]) continue;
      if (has_written_name(graph_, id)) group_[id] = written_group(id);
      for (const NodeId input : graph_.node(id).inputs) {
        needed[input] = true;
        if (!has_written_name(graph_, input)) group_[input] = group_[id];
      }
    }
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (graph_.node(id).op->traits.variable && graph_.node(id).name.find('.') != std::string::npos)
        group_[id].clear();  // shown as a part of the layers that use it
    join_steps();
  }

  /// Parts of a layer that are written as blocks of their own belong to it, unless they have parameters.
  void join_steps() {
    std::set<std::string> with_parameters;
    for (NodeId id = 0; id < graph_.size(); ++id)
      for (const NodeId input : graph_.node(id).inputs)
        if (is_parameter_like(graph_, input)) with_parameters.insert(group_[id]);
    for (std::string& group : group_) {
      while (!group.empty() && !with_parameters.contains(group)) {
        const std::optional<std::string> next = above(group);
        if (!next || !with_parameters.contains(*next)) break;
        group = *next;
      }
    }
  }

  void collect() {
    std::map<std::string, NodeId> last;
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (!group_[id].empty()) last[group_[id]] = id;
    for (const ModelTerm& term : model_.loss)
      last.try_emplace(term_name(term), static_cast<NodeId>(graph_.size()));
    for (const auto& [name, id] : last) order_.emplace_back(id, name);
    std::sort(order_.begin(), order_.end());
  }

  Layer layer(const std::string& name, NodeId last) const {
    Layer layer{.name = name, .kind = LayerKind::step, .what = {}, .type = {}, .roles = {}};
    const bool is_term = terms_.contains(name);
    if (is_term) layer.name = name.substr(term_prefix.size());
    const std::optional<NodeId> own = graph_.find(name);
    const NodeId result = own ? *own : std::min<NodeId>(last, static_cast<NodeId>(graph_.size() - 1));
    layer.type = is_term ? Type{} : graph_.node(result).type;
    describe(layer, name, is_term);
    for (const NamedOutput& role : model_.roles)
      if (group_[role.node] == name) layer.roles.push_back(role.name);
    return layer;
  }

  void describe(Layer& layer, const std::string& name, bool is_term) const {
    std::vector<std::string> ops;
    bool draws = false;
    bool parameters = false;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (group_[id] != name) continue;
      const Node& node = graph_.node(id);
      if (node.op->traits.input) layer.kind = LayerKind::input;
      if (node.op->traits.variable) layer.kind = LayerKind::weights;
      draws = draws || node.op->traits.random;
      for (const NodeId input : node.inputs) parameters = parameters || is_parameter_like(graph_, input);
      ops.push_back(node.op->name);
    }
    if (layer.kind == LayerKind::step && (draws || parameters))
      layer.kind = draws ? LayerKind::random : LayerKind::layer;
    if (is_term) layer.kind = LayerKind::loss;
    layer.what = is_term ? "loss" : what_they_do(ops);
  }

  static bool has(const std::vector<std::string>& ops, std::string_view op) {
    return std::find(ops.begin(), ops.end(), op) != ops.end();
  }

  /// "dense tanh" of matmul, add, tanh.
  static std::string what_they_do(const std::vector<std::string>& ops) {
    static const std::set<std::string, std::less<>> plain = {"add", "linear", "matmul", "convolution",
                                                             "transposed_convolution"};
    if (has(ops, "running_average")) return "batch_norm";
    if (has(ops, "random_normal") && ops.size() > 1) return "adds noise";
    std::string what;
    if (has(ops, "matmul")) what = "dense";
    if (has(ops, "convolution")) what = "convolution";
    if (has(ops, "transposed_convolution")) what = "transposed convolution";
    if (!what.empty()) return plain.contains(ops.back()) ? what : what + " " + ops.back();
    std::vector<std::string> named;
    for (const std::string& op : ops)
      if (op != "constant" && op != "size") named.push_back(op);
    if (named.size() > 3) return fmt::format("formula of {} ops", named.size());
    return fmt::format("{}", fmt::join(named, ", "));
  }

  const ModelDefinition& model_;
  const Graph& graph_;
  std::set<std::string> names_;
  std::set<std::string> terms_;     ///< the paths of the terms of the loss
  std::vector<std::string> group_;  ///< of each node; empty: not drawn
  std::vector<std::pair<NodeId, std::string>> order_;
};

}  // namespace

const char* to_string(LayerKind kind) {
  switch (kind) {
    case LayerKind::input:
      return "input";
    case LayerKind::layer:
      return "layer";
    case LayerKind::step:
      return "step";
    case LayerKind::random:
      return "random";
    case LayerKind::weights:
      return "weights";
    case LayerKind::loss:
      return "loss";
  }
  return "";
}

LayerGraph layer_graph(const ModelDefinition& model) {
  return Grouping(model).result();
}

}  // namespace graphrun::show
