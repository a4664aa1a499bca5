/// \file
/// Erases the nodes that are there for gradients only (stop_gradient, straight_through): each stands for its
/// first input.
///
/// Safe because that is their value. Runs after the last gradient is taken, and before the exact passes,
/// which could not see through them.
#include <array>

#include "graph/passes/apply_rules.hpp"

namespace graphrun {

Graph erase_forwards(Graph graph, const OpRegistry& registry) {
  const auto erase = [](RuleContext& context) {
    return context.node.op->traits.forwards_first ? std::optional(context.node.inputs.at(0)) : std::nullopt;
  };
  return apply_once(std::move(graph), registry, std::array{Rule{"mark_for_gradients", Phase::exact, erase}});
}

}  // namespace graphrun
