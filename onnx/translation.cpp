#include "onnx/translation.hpp"

#include <algorithm>

namespace graphrun::onnx {

Translation translation_of(const OpDef& op) {
  for (const auto family : {elementwise_translations(), image_translations(), index_translations(),
                            product_translations(), reduction_translations(), shape_translations()}) {
    const auto found = std::ranges::find(family, op.name, &TranslatedOp::op);
    if (found != family.end()) return found->translation;
  }
  return nullptr;
}

std::int64_t axis_in(const Layout& layout, std::size_t axis) {
  if (layout.kind != Layout::Kind::channels_first || axis == 0) return static_cast<std::int64_t>(axis);
  return axis == 3 ? 1 : static_cast<std::int64_t>(axis + 1);
}

std::optional<double> constant_number(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.op->traits.constant || !node.type.shape.empty()) return std::nullopt;
  return node.attributes.numbers("values").front();
}

const std::vector<NodeId>* inputs_of(const Graph& graph, NodeId id, std::string_view op) {
  const Node& node = graph.node(id);
  return node.op->name == op ? &node.inputs : nullptr;
}

}  // namespace graphrun::onnx
