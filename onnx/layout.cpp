#include "onnx/layout.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "graph/op.hpp"
#include "layers/patterns.hpp"

namespace graphrun::onnx {

namespace {

constexpr std::array<std::string_view, 6> image_ops{
    "convolution", "transposed_convolution", "max_pool", "avg_pool", "upsample", "resize"};

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
    find_users_that_fit();
    for (NodeId id = 0; id < graph_.size(); ++id) mark_forward(id);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Node& node = graph_.node(id);
      if (node.op->name != "reshape" || !becomes_image_[id]) continue;
      if (const auto layout = flattened(node.type.shape, shape(node.inputs[0])))
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

  bool is_given_to_image(NodeId user, NodeId id) const {
    const Node& node = graph_.node(user);
    if (is_image_op(node)) return node.inputs[0] == id;
    return node.op->traits.elementwise && node.type.shape == shape(id) && becomes_image_[user];
  }

  /// Users come later in the graph: from its end each node knows of them.
  void find_users_that_fit() {
    takes_flat_.resize(graph_.size());
    becomes_image_.resize(graph_.size());
    for (auto id = static_cast<NodeId>(graph_.size()); id-- > 0;) {
      const std::vector<NodeId>& users = users_[id];
      becomes_image_[id] =
          std::ranges::any_of(users, [&](NodeId user) { return is_given_to_image(user, id); });
      takes_flat_[id] = !is_output_[id] && std::ranges::all_of(users, [&](NodeId user) {
        return is_product_of(user, id) || (is_elementwise_of(user, id) && takes_flat_[user]);
      });
    }
  }

  /// From an image that is flattened through elementwise nodes, up to the matrices that take them.
  void mark_forward(NodeId id) {
    if (!takes_flat_[id]) return;
    const Node& node = graph_.node(id);
    if (node.op->name == "reshape" && is_image_[node.inputs[0]])
      flat_[id] = flattened(shape(node.inputs[0]), shape(id)).value_or(plain);
    if (!node.op->traits.elementwise) return;
    for (const NodeId input : node.inputs)
      if (flat_[input] != plain && is_elementwise_of(id, input)) flat_[id] = flat_[input];
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
  std::vector<bool> becomes_image_;  ///< is it given to an op on images, perhaps through elementwise ones?
  std::vector<bool> takes_flat_;     ///< may it lie flat, for all that use it?
  std::vector<Layout> flat_;
};

}  // namespace

std::vector<Layout> flat_nodes(const Graph& graph) {
  return FlatSearch(graph).run();
}

}  // namespace graphrun::onnx
