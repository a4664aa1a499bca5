#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>

#include "onnx/import/rewrites.hpp"

namespace graphrun::onnx {

namespace {

class OwnOps {
 public:
  explicit OwnOps(GraphRecord& graph) : graph_(graph) {
    for (NodeRecord& node : graph.nodes) {
      for (const std::string& input : node.inputs) ++uses_[input];
      for (const std::string& output : node.outputs) makers_[output] = &node;
    }
    for (const ValueInfo& output : graph.outputs) ++uses_[output.name];
  }

  void join() {
    for (NodeRecord& node : graph_.nodes) join_mask(node);
    std::erase_if(graph_.nodes, [](const NodeRecord& node) { return node.op.empty(); });
  }

 private:
  template <class Number>
  bool holds(const std::string& name, const std::vector<Number>& numbers) const {
    const auto found = std::ranges::find(graph_.initializers, name, &TensorRecord::name);
    if (found == graph_.initializers.end() || found->bytes.size() != numbers.size() * sizeof(Number))
      return false;
    return std::memcmp(found->bytes.data(), numbers.data(), found->bytes.size()) == 0;
  }

  /// What makes a value that has one use, if it is this op with no more than the usual attributes.
  NodeRecord* only_for(const std::string& name, std::string_view op) const {
    const auto maker = makers_.find(name);
    const auto uses = uses_.find(name);
    if (maker == makers_.end() || uses == uses_.end() || uses->second != 1) return nullptr;
    return maker->second->op == op && maker->second->attributes.empty() ? maker->second : nullptr;
  }

  void join_mask(NodeRecord& sum) {
    if (sum.op != "ReduceSum" || sum.inputs.size() != 2 || sum.attributes.size() != 1) return;
    const auto* const keeps = std::get_if<std::int64_t>(&sum.attributes[0].value);
    if (keeps == nullptr || *keeps != 0 || !holds(sum.inputs[1], std::vector<std::int64_t>{-2})) return;
    NodeRecord* const ones = only_for(sum.inputs[0], "OneHot");
    if (ones == nullptr || ones->inputs.size() != 3 || !holds(ones->inputs[2], std::vector<float>{0, 1}))
      return;
    NodeRecord* const top = only_for(ones->inputs[0], "TopK");
    if (top == nullptr || top->outputs.size() != 2 || top->outputs[1] != ones->inputs[0]) return;
    if (const auto values = uses_.find(top->outputs[0]); values != uses_.end() && values->second > 0) return;
    sum.op = "graphrun.TopKMask";
    sum.inputs = {top->inputs[0], top->inputs[1], ones->inputs[1]};
    sum.attributes.clear();
    ones->op.clear();
    top->op.clear();
  }

  GraphRecord& graph_;
  std::map<std::string, std::size_t> uses_;
  std::map<std::string, NodeRecord*> makers_;
};

}  // namespace

GraphRecord with_own_ops(GraphRecord graph) {
  OwnOps(graph).join();
  return graph;
}

}  // namespace graphrun::onnx
