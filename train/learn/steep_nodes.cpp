#include "train/learn/steep_nodes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "graph/op.hpp"

namespace graphrun::train {

namespace {

bool is_steep(const ModelDefinition& model, const Node& node) {
  if (node.op->name == "sqrt") return true;
  if (node.op->name != "pow") return false;
  const Node& exponent = model.graph.node(node.inputs[1]);
  if (!exponent.op->traits.constant) return true;
  const std::vector<double>& values = exponent.attributes.numbers("values");
  return std::any_of(values.begin(), values.end(), [](double value) { return value < 1; });
}

/// The nodes that depend on the parameter, and from which the loss is computed.
std::vector<bool> between(const Graph& graph, NodeId parameter, NodeId objective) {
  std::vector<bool> after(graph.size());
  after[parameter] = true;
  for (NodeId id = parameter + 1; id < graph.size(); ++id)
    for (const NodeId input : graph.node(id).inputs) after[id] = after[id] || after[input];
  std::vector<bool> before(graph.size());
  before[objective] = true;
  for (std::size_t id = graph.size(); id-- > 0;)
    if (before[id])
      for (const NodeId input : graph.node(static_cast<NodeId>(id)).inputs) before[input] = true;
  for (std::size_t id = 0; id < graph.size(); ++id) after[id] = after[id] && before[id];
  return after;
}

std::string shown(const Node& node) {
  if (!node.origin) return fmt::format("'{}' ({})", node.name, node.op->name);
  const SourceLocation& where = node.origin->where;
  return fmt::format("'{}' ({}, {}:{}:{})", node.origin->path, node.op->name, where.file, where.line,
                     where.column);
}

}  // namespace

std::string steep_nodes_between(const ModelDefinition& model, const std::string& parameter) {
  const std::optional<NodeId> begin = model.graph.find(parameter);
  if (!begin || !model.objective) return {};
  const std::vector<bool> candidates = between(model.graph, *begin, *model.objective);
  std::set<std::string> names;
  for (NodeId id = 0; id < model.graph.size(); ++id)
    if (candidates[id] && is_steep(model, model.graph.node(id))) names.insert(shown(model.graph.node(id)));
  if (names.empty()) return {};
  return fmt::format(
      "; the slope of {} is infinite where its operand is 0: add a small number to it, as in "
      "sqrt(v + 1.0e-8)",
      fmt::join(names, " and of "));
}

}  // namespace graphrun::train
