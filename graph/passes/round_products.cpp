/// \file
/// What products read is rounded to bf16, by a node for each operand: the products of weights and of
/// cotangents as well as those of values. Losses and metrics stay as they are, with their gradients: errors
/// of rounding are small beside a layer's noise, not beside the difference of two sums. So do products with
/// few rows, columns or channels: they are no faster, and a code of few units is where digits count.
///
/// Not exact: runs when it was asked for, after the rules, which know products by their operands, and before
/// equal nodes are merged, so that each value is rounded once.
#include <algorithm>

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

/// Below these, instructions for bf16 multiply by padding.
constexpr std::int64_t fewest_in_a_matrix = 32;
constexpr std::int64_t fewest_channels = 16;

bool is_below(Dim dim, std::int64_t fewest) {
  return dim.is_number() && dim.offset < fewest;
}

/// Of a matrix both axes are multiplied or kept; of images and their weights the channels, which are last.
bool is_small(const Type& type) {
  const Shape& shape = type.shape;
  if (shape.size() != 2) return is_below(shape.back(), fewest_channels);
  return is_below(shape[0], fewest_in_a_matrix) || is_below(shape[1], fewest_in_a_matrix);
}

bool is_small(const Builder& builder, const Node& node) {
  return is_small(node.type) ||
         std::ranges::any_of(node.inputs, [&](NodeId input) { return is_small(builder.type(input)); });
}

}  // namespace

Graph round_products(Graph graph, const OpRegistry& registry) {
  return rewrite(std::move(graph), registry,
                 [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
                   if (!node.op->traits.products || is_of_figures(node) || is_small(builder, node))
                     return std::nullopt;
                   std::vector<NodeId> rounded;
                   for (const NodeId input : node.inputs)
                     rounded.push_back(builder.add("round_bf16", {input}));
                   return builder.add_like(node, std::move(rounded), node.controls);
                 });
}

}  // namespace graphrun
