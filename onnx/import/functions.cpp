// Functions that a file brings, written out where they are called.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "errors/printable.hpp"
#include "onnx/import/rewrites.hpp"
#include "onnx/import/wire_reader.hpp"

namespace graphrun::onnx {

namespace {

constexpr int deepest = 16;                  // calls within calls
constexpr std::size_t most_nodes = 100'000;  // of the file, functions written out

/// The values of one call under the names that they have outside.
class Scope {
 public:
  Scope(const FunctionRecord& function, const NodeRecord& call) : function_(function), call_(call) {
    const auto made =
        std::ranges::find_if(call.outputs, [](const std::string& name) { return !name.empty(); });
    prefix_ = (made != call.outputs.end() ? *made : call.name) + "/";
    for (std::size_t i = 0; i < function.inputs.size(); ++i)
      names_[function.inputs[i]] = i < call.inputs.size() ? call.inputs[i] : "";
    for (std::size_t i = 0; i < function.outputs.size() && i < call.outputs.size(); ++i) {
      const bool is_new = names_.emplace(function.outputs[i], call.outputs[i]).second;
      if (!is_new)
        same_.emplace_back(names_[function.outputs[i]], call.outputs[i]);
      else if (call.outputs[i].empty())
        names_[function.outputs[i]] = prefix_ + function.outputs[i];
    }
  }

  NodeRecord renamed(const NodeRecord& node) const {
    NodeRecord result = node;
    if (!node.name.empty()) result.name = prefix_ + node.name;
    for (std::string& input : result.inputs) input = outside(input);
    for (std::string& output : result.outputs) output = outside(output);
    result.attributes.clear();
    for (const AttributeRecord& attribute : node.attributes)
      if (const AttributeRecord* const given = resolved(attribute)) {
        result.attributes.push_back(*given);
        result.attributes.back().name = attribute.name;
        if (auto* const inner = std::get_if<SharedGraph>(&result.attributes.back().value))
          if (attribute.reference.empty()) *inner = std::make_shared<const GraphRecord>(renamed(**inner));
      }
    return result;
  }

  /// Outputs that are an input, or another output too.
  const std::vector<std::pair<std::string, std::string>>& same() const { return same_; }

 private:
  std::string outside(const std::string& name) const {
    if (name.empty()) return name;
    const auto found = names_.find(name);
    return found == names_.end() ? prefix_ + name : found->second;
  }

  GraphRecord renamed(GraphRecord graph) const {
    for (NodeRecord& node : graph.nodes) node = renamed(node);
    for (TensorRecord& tensor : graph.initializers) tensor.name = outside(tensor.name);
    for (ValueInfo& input : graph.inputs) input.name = outside(input.name);
    for (ValueInfo& output : graph.outputs) output.name = outside(output.name);
    return graph;
  }

  /// What the call says of an attribute, or else the function; null: neither does.
  const AttributeRecord* resolved(const AttributeRecord& attribute) const {
    if (attribute.reference.empty()) return &attribute;
    for (const std::vector<AttributeRecord>* const all : {&call_.attributes, &function_.defaults}) {
      const auto found = std::ranges::find(*all, attribute.reference, &AttributeRecord::name);
      if (found != all->end()) return &*found;
    }
    return nullptr;
  }

  const FunctionRecord& function_;
  const NodeRecord& call_;
  std::string prefix_;
  std::map<std::string, std::string> names_;
  std::vector<std::pair<std::string, std::string>> same_;
};

std::size_t bytes_of(const GraphRecord& graph);

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

std::size_t bytes_of(const AttributeRecord& attribute) {
  if (const auto* const text = std::get_if<std::string>(&attribute.value)) return text->size();
  if (const auto* const texts = std::get_if<std::vector<std::string>>(&attribute.value))
    return bytes_of(*texts);
  if (const auto* const integers = std::get_if<std::vector<std::int64_t>>(&attribute.value))
    return integers->size() * sizeof(std::int64_t);
  if (const auto* const numbers = std::get_if<std::vector<float>>(&attribute.value))
    return numbers->size() * sizeof(float);
  if (const auto* const tensor = std::get_if<TensorRecord>(&attribute.value)) return tensor->bytes.size();
  if (const auto* const graph = std::get_if<SharedGraph>(&attribute.value)) return bytes_of(**graph);
  return 0;  // a single number
}

std::size_t bytes_of(const NodeRecord& node) {
  std::size_t bytes = node.name.size() + bytes_of(node.inputs) + bytes_of(node.outputs);
  for (const AttributeRecord& attribute : node.attributes) bytes += bytes_of(attribute);
  return bytes;
}

std::size_t bytes_of(const GraphRecord& graph) {
  std::size_t bytes = 0;
  for (const NodeRecord& node : graph.nodes) bytes += bytes_of(node);
  for (const TensorRecord& tensor : graph.initializers) bytes += tensor.name.size() + tensor.bytes.size();
  return bytes;
}

class Inliner {
 public:
  Inliner(const std::vector<FunctionRecord>& functions, std::size_t most_bytes) : most_bytes_(most_bytes) {
    for (const FunctionRecord& function : functions)
      functions_.emplace(std::tuple(function.domain, function.name, function.overload), &function);
  }

  GraphRecord inlined(GraphRecord graph, int depth) {
    std::vector<NodeRecord> nodes;
    for (NodeRecord& node : graph.nodes) append(std::move(node), depth, nodes);
    graph.nodes = std::move(nodes);
    return graph;
  }

 private:
  void append(NodeRecord node, int depth, std::vector<NodeRecord>& nodes) {
    if (++nodes_ > most_nodes)
      throw MalformedFile(fmt::format("functions that become more than {} nodes", most_nodes));
    const auto function = functions_.find({node.domain, node.op, node.overload});
    if (function != functions_.end()) return append_body(*function->second, node, depth, nodes);
    for (AttributeRecord& attribute : node.attributes)
      if (auto* const graph = std::get_if<SharedGraph>(&attribute.value))
        *graph = std::make_shared<const GraphRecord>(inlined(**graph, depth + 1));
    nodes.push_back(std::move(node));
  }

  void append_body(const FunctionRecord& function, const NodeRecord& call, int depth,
                   std::vector<NodeRecord>& nodes) {
    if (depth >= deepest)
      throw MalformedFile(
          fmt::format("calls of functions, more than {} deep: '{}' calls itself, or too many others", deepest,
                      printable(shortened(function.name))));
    const Scope scope(function, call);
    for (const NodeRecord& node : function.nodes) {
      NodeRecord renamed = scope.renamed(node);
      bytes_ += bytes_of(renamed);
      if (bytes_ > most_bytes_)
        throw MalformedFile(fmt::format("functions that become more than {} bytes", most_bytes_));
      append(std::move(renamed), depth + 1, nodes);
    }
    for (const auto& [from, to] : scope.same())
      if (!to.empty()) append({"", "Identity", "", {from}, {to}, {}}, depth, nodes);
  }

  std::map<std::tuple<std::string, std::string, std::string>, const FunctionRecord*> functions_;
  std::size_t nodes_ = 0;  ///< and calls
  std::size_t bytes_ = 0;  ///< that are written anew
  std::size_t most_bytes_;
};

}  // namespace

GraphRecord with_functions_inlined(GraphRecord graph, const std::vector<FunctionRecord>& functions,
                                   std::size_t most_bytes) {
  return functions.empty() ? graph : Inliner(functions, most_bytes).inlined(std::move(graph), 0);
}

}  // namespace graphrun::onnx
