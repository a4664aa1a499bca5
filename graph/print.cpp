#include "graph/print.hpp"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "graph/op.hpp"

namespace graphrun {
namespace {

std::string reference(const Graph& graph, NodeId id) {
  return fmt::format("%{} {}", id, graph.node(id).name);
}

/// "axis=[1], keepdims=true": the attributes that differ from their defaults.
std::vector<std::string> written_attributes(const Node& node) {
  std::vector<std::string> written;
  for (const AttributeDeclaration& declared : node.op->attributes) {
    const AttributeValue* value = node.attributes.find(declared.name);
    if (value == nullptr || (declared.fallback && *value == *declared.fallback)) continue;
    written.push_back(fmt::format("{}={}", declared.name, to_string(*value)));
  }
  return written;
}

std::string arguments(const Graph& graph, const Node& node) {
  std::vector<std::string> parts;
  for (const NodeId input : node.inputs) parts.push_back(reference(graph, input));
  for (std::string& attribute : written_attributes(node)) parts.push_back(std::move(attribute));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string line(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::string text = fmt::format("{} = {}({})", reference(graph, id), node.op->name, arguments(graph, node));
  if (node.type.dtype != DType::none) text += "  " + to_string(node.type);
  for (std::size_t i = 0; i < node.controls.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "  after " : ", ", reference(graph, node.controls[i]));
  }
  return text + "\n";
}

// ---- DOT
// ---------------------------------------------------------------------------------------------------

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

/// "enc.0" of "enc.0.z" and of "grad/enc.0.z:mul"; empty at the top.
std::string block_of(const Node& node) {
  if (part_of(node) != Part::forward) return {};
  const std::string path = node.name.substr(0, node.name.find_first_of("/:"));
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

std::string_view fill(const Node& node, bool by_part) {
  if (node.op->traits.input) return "#cfe8ff";
  if (node.op->traits.variable) return "#ffe9b3";
  if (!by_part) return "white";
  switch (part_of(node)) {
    case Part::forward:
      return "#e6f4e6";
    case Part::backward:
      return "#fbe0e0";
    case Part::update:
      return "#eadcf5";
  }
  return "white";
}

std::string dot_node(const Graph& graph, NodeId id, const DotOptions& options) {
  const Node& node = graph.node(id);
  std::string detail = node.op->name;
  for (const std::string& attribute : written_attributes(node)) detail += " " + attribute;
  const std::string type = node.type.dtype == DType::none ? "" : "\n" + to_string(node.type);
  std::string label = quoted(node.name + "\n" + detail + type);
  for (std::size_t at = label.find('\n'); at != std::string::npos; at = label.find('\n')) {
    label.replace(at, 1, "\\n");
  }
  return fmt::format("  n{} [label={}, fillcolor=\"{}\"];\n", id, label, fill(node, options.colours));
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text;
  for (NodeId id = 0; id < graph.size(); ++id) text += line(graph, id);
  for (const NamedOutput& output : graph.outputs()) {
    text += fmt::format("output {} = {}\n", output.name, reference(graph, output.node));
  }
  return text;
}

Part part_of(const Node& node) {
  if (node.op->traits.effect) return Part::update;
  return node.name.starts_with("grad/") ? Part::backward : Part::forward;
}

std::string to_dot(const Graph& graph, const DotOptions& options) {
  std::map<std::string, std::vector<NodeId>> blocks;
  for (NodeId id = 0; id < graph.size(); ++id) {
    blocks[options.clusters ? block_of(graph.node(id)) : std::string()].push_back(id);
  }
  std::string text =
      "digraph graphrun {\n  rankdir=TB;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n";
  for (const auto& [block, ids] : blocks) {
    const std::string name = quoted("cluster_" + block);
    if (!block.empty()) text += fmt::format("  subgraph {} {{\n  label={};\n", name, quoted(block));
    for (const NodeId id : ids) text += dot_node(graph, id, options);
    if (!block.empty()) text += "  }\n";
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const NodeId input : graph.node(id).inputs) text += fmt::format("  n{} -> n{};\n", input, id);
    for (const NodeId control : graph.node(id).controls) {
      text += fmt::format("  n{} -> n{} [style=dashed];\n", control, id);
    }
  }
  for (const NamedOutput& output : graph.outputs()) {
    const std::string name = quoted("output " + output.name);
    text += fmt::format("  {} [label={}, shape=plaintext];\n", name, quoted(output.name));
    text += fmt::format("  n{} -> {};\n", output.node, name);
  }
  return text + "}\n";
}

}  // namespace graphrun
