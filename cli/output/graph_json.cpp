#include "cli/output/graph_json.hpp"

#include "graph/op.hpp"
#include "graph/print.hpp"

namespace graphrun::cli {

namespace {

using files::json_array;
using files::JsonArray;
using files::JsonObject;
using files::JsonValue;

JsonValue json_of(const Dim& dim) {
  if (dim.is_number()) return dim.offset;
  return to_string(dim);
}

JsonValue json_of(const AttributeValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  if (const std::int64_t* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const double* number = std::get_if<double>(&value)) return *number;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) return json_array(*integers);
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) return json_array(*numbers);
  return to_string(value);
}

std::string_view name_of(Part part) {
  switch (part) {
    case Part::forward:
      return "forward";
    case Part::backward:
      return "backward";
    case Part::update:
      return "update";
  }
  return "forward";
}

JsonObject json_of(const Node& node, NodeId id) {
  JsonObject attributes;
  for (const auto& [name, value] : node.attributes.entries()) attributes.set(name, json_of(value));
  JsonArray shape;
  for (const Dim& dim : node.type.shape) shape.add(json_of(dim));
  JsonObject object;
  object.set("id", id).set("name", node.name).set("op", node.op->name);
  object.set("inputs", json_array(node.inputs)).set("after", json_array(node.controls));
  object.set("attributes", attributes).set("dtype", to_string(node.type.dtype)).set("shape", shape);
  object.set("part", name_of(part_of(node)));
  if (node.origin != nullptr && !node.origin->where.file.empty())
    object.set("file", node.origin->where.file)
        .set("line", node.origin->where.line)
        .set("column", node.origin->where.column);
  return object;
}

}  // namespace

JsonArray json_of_nodes(const Graph& graph) {
  JsonArray nodes;
  for (NodeId id = 0; id < graph.size(); ++id) nodes.add(json_of(graph.node(id), id));
  return nodes;
}

JsonArray json_of_outputs(const Graph& graph) {
  JsonArray outputs;
  for (const NamedOutput& output : graph.outputs())
    outputs.add(JsonObject().set("name", output.name).set("node", output.node));
  return outputs;
}

}  // namespace graphrun::cli
