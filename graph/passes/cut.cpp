#include "graph/passes/cut.hpp"

#include <fmt/format.h>

#include <set>

#include "graph/passes/dead_nodes.hpp"
#include "graph/rewrite.hpp"

namespace graphrun {

Graph cut(Graph graph, const OpRegistry& registry, std::span<const std::string> fed) {
  std::set<std::string_view> missing(fed.begin(), fed.end());
  const auto replace = [&](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (missing.erase(node.name) == 0 || node.op->traits.input) return std::nullopt;
    return builder.add("input", {},
                       {{"shape", node.type.shape}, {"dtype", std::string(to_string(node.type.dtype))}});
  };
  Graph result = rewrite(std::move(graph), registry, replace);
  if (!missing.empty()) {
    throw Error(ErrorCode::usage,
                fmt::format("no node is called '{}', so it cannot be fed", *missing.begin()));
  }
  return remove_dead_nodes(std::move(result), registry);
}

}  // namespace graphrun
