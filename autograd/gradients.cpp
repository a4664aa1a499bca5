#include "autograd/gradients.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "graph/broadcast.hpp"
#include "graph/op.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {
namespace {

/// A mistake in a node, where the node was written.
Diagnostic at_node(const Node& node, std::string message, std::string fix) {
  Diagnostic diagnostic;
  diagnostic.node = node.origin && !node.origin->path.empty() ? node.origin->path : node.name;
  diagnostic.op = node.op->name;
  diagnostic.message = std::move(message);
  diagnostic.fix = std::move(fix);
  if (node.origin) {
    diagnostic.where = node.origin->where;
    diagnostic.notes = node.origin->notes;
  }
  return diagnostic;
}

bool has_gradient(const Type& type) {
  return type.dtype == DType::f32 || type.dtype == DType::f64;
}

/// The one walk from y back to `wrt`.
class BackwardWalk {
 public:
  BackwardWalk(Builder& builder, NodeId y, std::span<const NodeId> wrt, Budget* budget)
      : builder_(builder),
        budget_(budget),
        y_(y),
        wanted_(y + 1, false),
        cotangents_(y + 1),
        reached_from_(y + 1, y) {
    mark_wanted(wrt);
  }

  void run(NodeId cotangent) {
    cotangents_[y_] = cotangent;
    for (NodeId id = y_ + 1; id-- > 0;) {
      if (!cotangents_[id]) continue;
      const std::size_t before = builder_.size();
      propagate(id);
      if (budget_ != nullptr) budget_->spend(Resource::nodes, builder_.size() - before);
    }
  }

  NodeId gradient(NodeId id) {
    if (id <= y_ && cotangents_[id]) return *cotangents_[id];
    enter(id);
    return filled(builder_, 0.0, builder_.type(id).shape);
  }

 private:
  /// A node is wanted when it is asked for or a gradient must pass through it.
  void mark_wanted(std::span<const NodeId> wrt) {
    for (const NodeId id : wrt) {
      if (id <= y_ && has_gradient(builder_.type(id))) wanted_[id] = true;
    }
    for (NodeId id = 0; id <= y_; ++id) {
      const Node& node = builder_.node(id);
      if (wanted_[id] || !has_gradient(node.type) || passes_nothing(node)) continue;
      wanted_[id] = std::any_of(node.inputs.begin(), node.inputs.end(),
                                [this](NodeId input) { return wanted_[input]; });
    }
  }

  static bool passes_nothing(const Node& node) {
    return std::holds_alternative<ZeroGradient>(node.op->gradient);
  }

  void propagate(NodeId id) {
    const Node& node = builder_.node(id);
    std::vector<bool> wanted(node.inputs.size());
    std::transform(node.inputs.begin(), node.inputs.end(), wanted.begin(),
                   [this](NodeId input) { return wanted_[input]; });
    if (passes_nothing(node) || std::none_of(wanted.begin(), wanted.end(), [](bool w) { return w; })) return;

    const Vjp* vjp = std::get_if<Vjp>(&node.op->gradient);
    if (vjp == nullptr) refuse(id, std::get<NotDifferentiable>(node.op->gradient).reason, {});
    enter(id);
    const Gradients gradients = call(*vjp, id, wanted);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (wanted[i] && gradients[i]) accumulate(node.inputs[i], *gradients[i], id);
    }
  }

  Gradients call(Vjp vjp, NodeId id, const std::vector<bool>& wanted) {
    try {
      VjpContext context{builder_, id, *cotangents_[id], wanted};
      return vjp(context);
    } catch (const OpError& error) {
      refuse(id, error.message(), error.fix());
    }
  }

  void accumulate(NodeId input, NodeId gradient, NodeId user) {
    const NodeId fitting = unbroadcast(builder_, gradient, builder_.type(input).shape);
    std::optional<NodeId>& sum = cotangents_[input];
    if (!sum) reached_from_[input] = user;
    sum = sum ? builder_.add("add", {*sum, fitting}) : fitting;
  }

  /// What is built from here on is the gradient of node `id`.
  void enter(NodeId id) {
    const Node& node = builder_.node(id);
    builder_.set_origin(node.origin, "grad/" + node.name);
  }

  [[noreturn]] void refuse(NodeId id, const std::string& reason, const std::string& fix) const {
    throw ModelError({at_node(
        builder_.node(id),
        fmt::format("it is not differentiable: {}; a gradient is asked for along {}", reason, way_to_y(id)),
        fix.empty() ? "Wrap it in stop_gradient(…) if no gradient should flow through it." : fix)});
  }

  /// "code -> dec.0 -> … -> loss": the ends of the chain of users by which the gradient came.
  std::string way_to_y(NodeId id) const {
    constexpr std::size_t shown = 4;
    std::vector<NodeId> chain = {id};
    while (chain.back() != y_) chain.push_back(reached_from_[chain.back()]);
    std::string way;
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const bool hidden = i >= shown && i + shown < chain.size();
      if (hidden && i > shown) continue;
      way += fmt::format("{}{}", i == 0 ? "" : " -> ", hidden ? "…" : builder_.node(chain[i]).name);
    }
    return way;
  }

  Builder& builder_;
  Budget* budget_;
  NodeId y_;
  std::vector<bool> wanted_;
  std::vector<std::optional<NodeId>> cotangents_;
  std::vector<NodeId> reached_from_;  // the user that brought the first part of the gradient
};

}  // namespace

std::vector<NodeId> append_gradients(Builder& builder, NodeId y, NodeId cotangent,
                                     std::span<const NodeId> wrt, Budget* budget) {
  BackwardWalk walk(builder, y, wrt, budget);
  walk.run(cotangent);
  std::vector<NodeId> gradients;
  gradients.reserve(wrt.size());
  for (const NodeId id : wrt) gradients.push_back(walk.gradient(id));
  builder.set_origin({});
  return gradients;
}

std::vector<NodeId> append_gradients(Builder& builder, NodeId y, std::span<const NodeId> wrt,
                                     Budget* budget) {
  const Node& node = builder.node(y);
  builder.set_origin(node.origin, "grad/" + node.name);
  return append_gradients(builder, y, filled(builder, 1.0, node.type.shape), wrt, budget);
}

Graph expand_gradients(Graph graph, const OpRegistry& registry, Budget& budget) {
  const auto expand = [&budget](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!node.op->traits.gradient) return std::nullopt;
    const NodeId x = node.inputs.at(1);
    try {
      return append_gradients(builder, node.inputs.at(0), std::span(&x, 1), &budget).front();
    } catch (const OverBudget& over) {
      throw ModelError({at_node(node, over.message(), over.fix())});
    }
  };
  return rewrite(std::move(graph), registry, expand);
}

Graph expand_gradients(Graph graph, const OpRegistry& registry) {
  Budget budget;
  return expand_gradients(std::move(graph), registry, budget);
}

}  // namespace graphrun
