#include "graph/passes/erase_forwards.hpp"

#include <fmt/format.h>

#include "graph/rewrite.hpp"

namespace graphrun {

Graph erase_forwards(Graph graph, const OpRegistry& registry) {
  const auto erase = [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!node.op->traits.forwards_first) return std::nullopt;
    const NodeId value = node.inputs.at(0);
    if (builder.type(value) != node.type) {
      throw Error(ErrorCode::internal, fmt::format("{} is not of the type of its first input", node.op->name),
                  {}, node.name);
    }
    return value;
  };
  return rewrite(std::move(graph), registry, erase);
}

}  // namespace graphrun
