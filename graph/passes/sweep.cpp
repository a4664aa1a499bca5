#include "graph/passes/sweep.hpp"

#include <fmt/format.h>

#include "graph/passes/dead_nodes.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {
namespace {

// Inputs are visited before their users, so that one sweep does nearly all; each further one is for rules
// that apply to what a rule has built.
constexpr int most_sweeps = 16;

struct Sweep {
  Graph graph;
  bool changed = false;
};

Sweep sweep(Graph graph, const OpRegistry& registry, Canonicalise OpDef::*rule) {
  bool changed = false;
  const auto visit = [&](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    const Canonicalise apply = node.op->*rule;
    if (apply == nullptr || !node.controls.empty()) return std::nullopt;
    CanonicaliseContext context{builder, node};
    const std::optional<NodeId> replacement = apply(context);
    if (replacement && builder.type(*replacement) != node.type) {
      throw Error(ErrorCode::internal,
                  fmt::format("a rewrite of {} changes its type from {} to {}", node.op->name,
                              to_string(node.type), to_string(builder.type(*replacement))),
                  {}, node.name);
    }
    changed = changed || replacement.has_value();
    return replacement;
  };
  Graph result = rewrite(std::move(graph), registry, visit);
  return {std::move(result), changed};
}

}  // namespace

Graph sweep_until_settled(Graph graph, const OpRegistry& registry, Canonicalise OpDef::*rule) {
  for (int i = 0; i < most_sweeps; ++i) {
    const std::size_t size = graph.size();
    Sweep next = sweep(std::move(graph), registry, rule);
    // A rule may have built something, and then let it be.
    if (!next.changed && next.graph.size() == size) return std::move(next.graph);
    graph = remove_dead_nodes(std::move(next.graph), registry);
    if (!next.changed) return graph;
  }
  throw Error(ErrorCode::internal, fmt::format("rewrites do not settle in {} sweeps", most_sweeps));
}

}  // namespace graphrun
