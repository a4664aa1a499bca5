#include "train/learn/needed_variables.hpp"

#include <optional>

#include "graph/op.hpp"

namespace graphrun::train {

namespace {

std::optional<NodeId> node_of(const ModelDefinition& model, const std::string& name) {
  if (name == "loss") return model.objective;
  const std::optional<NodeId> role = model.role(name);
  return role ? role : model.graph.find(name);
}

}  // namespace

std::set<std::string> variables_behind(const ModelDefinition& model, const std::vector<std::string>& outputs,
                                       const std::vector<std::string>& fed) {
  std::vector<bool> needed(model.graph.size());
  std::vector<bool> given(model.graph.size());
  for (const std::string& name : outputs)
    if (const std::optional<NodeId> node = node_of(model, name)) needed[*node] = true;
  for (const std::string& name : fed)
    if (const std::optional<NodeId> node = node_of(model, name)) given[*node] = true;
  std::set<std::string> variables;
  for (std::size_t id = model.graph.size(); id-- > 0;) {
    if (!needed[id] || given[id]) continue;
    const Node& node = model.graph.node(static_cast<NodeId>(id));
    if (node.op->traits.variable) variables.insert(node.name);
    for (const NodeId input : node.inputs) needed[input] = true;
  }
  return variables;
}

}  // namespace graphrun::train
