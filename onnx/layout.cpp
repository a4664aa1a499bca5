#include "onnx/layout.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "graph/op.hpp"
#include "layers/patterns.hpp"

namespace graphrun::onnx {

namespace {

constexpr std::array<std::string_view, 5> image_ops{"convolution", "transposed_convolution", "max_pool",
                                                    "avg_pool", "upsample"};

bool is_image_op(const Node& node) {
  return std::ranges::find(image_ops, node.op->name) != image_ops.end();
}

/// Does it hold one number for each number of the last axis, or one for all?
bool is_vector(const Type& type) {
  return type.shape.empty() || std::all_of(type.shape.begin(), type.shape.end() - 1,
                                           [](const Dim& dim) { return dim.is_number(1); });
}

class FlatSearch {
 public:
  explicit FlatSearch(const Graph& graph) : graph_(graph), users_(graph.size()), flat_(graph.size()) {
    for (NodeId id = 0; id < graph.size(); ++id)
      for (const NodeId input : graph.node(id).inputs) users_[input].push_back(id);
    is_output_.resize(graph.size());
    for (const NamedOutput& output : graph.outputs()) is_output_[output.node] = true;
  }

  std::vector<Layout> run() {
    find_images();
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Node& node = graph_.node(id);
      if (node.op->name != "reshape") continue;
      const Shape& from = shape(node.inputs[0]);
      if (const auto layout = flattened(from, node.type.shape); layout && is_image_[node.inputs[0]])
        mark_forward(id, *layout);
      if (const auto layout = flattened(node.type.shape, from); layout && becomes_image(id))
        mark_backward(node.inputs[0], *layout);
    }
    return std::move(flat_);
  }

 private:
  const Shape& shape(NodeId id) const { return graph_.node(id).type.shape; }

  /// The layout of `flat` = [n, h w c] when `image` is [n, h, w, c], and it matters.
  static std::optional<Layout> flattened(const Shape& image, const Shape& flat) {
    if (image.size() != 4 || flat.size() != 2 || image[0] != flat[0]) return std::nullopt;
    if (!std::all_of(image.begin() + 1, image.end(), [](const Dim& dim) { return dim.is_number(); }))
      return std::nullopt;
    const Layout layout{Layout::Kind::flat, {image[1].offset, image[2].offset, image[3].offset}};
    if (layout.image.channels == 1 || layout.image.height * layout.image.width == 1) return std::nullopt;
    return layout;
  }

  /// Images are what ops on images give, and what elementwise ops make of them.
  void find_images() {
    is_image_.resize(graph_.size());
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Node& node = graph_.node(id);
      is_image_[id] = is_image_op(node) ||
                      (node.op->traits.elementwise && node.type.shape.size() == 4 &&
                       std::ranges::any_of(node.inputs, [&](NodeId input) { return is_image_[input]; }));
    }
  }

  /// Is it given to an op on images, perhaps through elementwise ones?
  bool becomes_image(NodeId id) const {
    return std::ranges::any_of(users_[id], [&](NodeId user) {
      const Node& node = graph_.node(user);
      if (is_image_op(node)) return node.inputs[0] == id;
      return node.op->traits.elementwise && node.type.shape == shape(id) && becomes_image(user);
    });
  }

  bool is_product_of(NodeId user, NodeId id) const {
    const Node& node = graph_.node(user);
    return node.op->name == "matmul" && node.inputs[0] == id && node.inputs[1] != id &&
           !node.attributes.flag("transpose_a") && layers::is_stored(graph_.node(node.inputs[1]));
  }

  /// Does it work on the elements of `id`, all others alike in each row?
  bool is_elementwise_of(NodeId user, NodeId id) const {
    const Node& node = graph_.node(user);
    return node.op->traits.elementwise && node.type.dtype == DType::f32 && node.type.shape == shape(id) &&
           std::ranges::all_of(
               node.inputs, [&](NodeId input) { return input == id || is_vector(graph_.node(input).type); });
  }

  bool takes_flat(NodeId id) const {
    return !is_output_[id] && std::ranges::all_of(users_[id], [&](NodeId user) {
      return is_product_of(user, id) || (is_elementwise_of(user, id) && takes_flat(user));
    });
  }

  void mark_forward(NodeId id, const Layout& layout) {
    if (!takes_flat(id)) return;
    flat_[id] = layout;
    for (const NodeId user : users_[id])
      if (!is_product_of(user, id)) mark_forward(user, layout);
  }

  /// The operand of an elementwise node that its value is made of, when all others are alike in each row.
  std::optional<NodeId> only_operand(NodeId id) const {
    for (const NodeId input : graph_.node(id).inputs)
      if (shape(input) == shape(id) && is_elementwise_of(id, input)) return input;
    return std::nullopt;
  }

  void mark_backward(NodeId last, const Layout& layout) {
    std::vector<NodeId> chain;
    for (std::optional<NodeId> id = last; id; id = only_operand(*id)) {
      if (is_output_[*id] || users_[*id].size() != 1 || flat_[*id] != plain) return;
      chain.push_back(*id);
      const Node& node = graph_.node(*id);
      if (node.op->name != "matmul") continue;
      if (layers::is_stored(graph_.node(node.inputs[1])))
        for (const NodeId marked : chain) flat_[marked] = layout;
      return;
    }
  }

  const Graph& graph_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<bool> is_output_;
  std::vector<bool> is_image_;
  std::vector<Layout> flat_;
};

}  // namespace

std::vector<Layout> flat_nodes(const Graph& graph) {
  return FlatSearch(graph).run();
}

}  // namespace graphrun::onnx
