#include "graph/passes/apply_rules.hpp"

#include <fmt/format.h>

#include <utility>

#include "graph/passes/dead_nodes.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {
namespace {

// Inputs are visited before their users, so that one sweep does nearly all; each further one is for rules
// that apply to what a rule has built.
constexpr int most_sweeps = 16;

void require_same_type(const Rule& rule, const Node& node, const Type& type) {
  if (type == node.type) return;
  throw Error(ErrorCode::internal,
              fmt::format("the rule '{}' changes the type of {} from {} to {}", rule.name, node.op->name,
                          to_string(node.type), to_string(type)),
              {}, node.name);
}

/// The answer of a rule that may be asked.
std::optional<NodeId> answer(const Rule& rule, RuleContext& context) {
  if (!has_defaults(context.node, rule.keeps)) return std::nullopt;
  const std::optional<NodeId> replacement = rule.rewrite(context);
  if (replacement) require_same_type(rule, context.node, context.builder.type(*replacement));
  return replacement;
}

struct Sweep {
  Graph graph;
  bool changed = false;
};

Sweep sweep(Graph graph, const OpRegistry& registry, const std::function<bool(const Rule&)>& chosen) {
  bool changed = false;
  const auto visit = [&](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!node.controls.empty()) return std::nullopt;
    RuleContext context{builder, node};
    for (const Rule& rule : node.op->rules) {
      const std::optional<NodeId> replacement = chosen(rule) ? answer(rule, context) : std::nullopt;
      if (!replacement) continue;
      changed = true;
      return replacement;
    }
    return std::nullopt;
  };
  Graph result = rewrite(std::move(graph), registry, visit);
  return {std::move(result), changed};
}

}  // namespace

Graph apply_rules(Graph graph, const OpRegistry& registry, const std::function<bool(const Rule&)>& chosen) {
  for (int i = 0; i < most_sweeps; ++i) {
    const std::size_t size = graph.size();
    Sweep next = sweep(std::move(graph), registry, chosen);
    // A rule may have built something, and then let it be.
    if (!next.changed && next.graph.size() == size) return std::move(next.graph);
    graph = remove_dead_nodes(std::move(next.graph), registry);
    if (!next.changed) return graph;
  }
  throw Error(ErrorCode::internal, fmt::format("rewrites do not settle in {} sweeps", most_sweeps));
}

Graph apply_once(Graph graph, const OpRegistry& registry, std::span<const Rule> rules) {
  const auto visit = [&](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!node.controls.empty()) return std::nullopt;
    RuleContext context{builder, node};
    for (const Rule& rule : rules) {
      const std::optional<NodeId> replacement = rule.rewrite(context);
      if (!replacement) continue;
      require_same_type(rule, node, builder.type(*replacement));
      return replacement;
    }
    return std::nullopt;
  };
  return rewrite(std::move(graph), registry, visit);
}

Graph apply_real_rules(Graph graph, const OpRegistry& registry) {
  return apply_rules(std::move(graph), registry,
                     [](const Rule& rule) { return rule.phase == Phase::real || rule.early; });
}

Graph apply_exact_rules(Graph graph, const OpRegistry& registry) {
  return apply_rules(std::move(graph), registry, [](const Rule& rule) { return rule.phase == Phase::exact; });
}

Graph apply_sum_rules(Graph graph, const OpRegistry& registry) {
  return apply_rules(std::move(graph), registry, [](const Rule& rule) { return rule.phase == Phase::sums; });
}

}  // namespace graphrun
