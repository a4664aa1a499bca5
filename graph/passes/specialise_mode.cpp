#include "graph/passes/specialise_mode.hpp"

#include "graph/passes/dead_nodes.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {

Graph specialise_mode(Graph graph, const OpRegistry& registry, Mode mode) {
  const auto choose = [mode](Builder& /*builder*/, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!node.op->traits.mode) return std::nullopt;
    const AttributeValue* const when = node.attributes.find("when");
    const bool always = when != nullptr && *when == AttributeValue(std::string("always"));
    return node.inputs.at(mode == Mode::train || always ? 0 : 1);
  };
  return remove_dead_nodes(rewrite(std::move(graph), registry, choose), registry);
}

}  // namespace graphrun
