/// \file
/// What products read is rounded to bf16, by a node for each operand: the products of weights and of
/// cotangents as well as those of values. Losses and metrics stay as they are, with their gradients: errors
/// of rounding are small beside a layer's noise, not beside the difference of two sums.
///
/// Not exact: runs when it was asked for, after the rules, which know products by their operands, and before
/// equal nodes are merged, so that each value is rounded once.
#include "graph/passes/apply_rules.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {
namespace {

/// Of a term of the loss, or a metric: names of the language's own (language/recipe/terms.cpp).
bool is_of_figures(const Node& node) {
  if (!node.origin) return false;
  const std::string& path = node.origin->path;
  return path.starts_with("loss.") || path.starts_with("metric.");
}

}  // namespace

Graph round_products(Graph graph, const OpRegistry& registry) {
  return rewrite(std::move(graph), registry,
                 [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
                   if (!node.op->traits.products || is_of_figures(node)) return std::nullopt;
                   std::vector<NodeId> rounded;
                   for (const NodeId input : node.inputs)
                     rounded.push_back(builder.add("round_bf16", {input}));
                   return builder.add_like(node, std::move(rounded), node.controls);
                 });
}

}  // namespace graphrun
