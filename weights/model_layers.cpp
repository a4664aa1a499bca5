#include "weights/model_layers.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "autograd/prepare.hpp"
#include "graph/op.hpp"
#include "graph/passes/pipeline.hpp"
#include "layers/patterns.hpp"
#include "ops/op.hpp"
#include "train/learn/learning_step.hpp"

namespace graphrun::weights {

namespace {

using Image = std::optional<layers::ImageExtents>;

/// All that the model computes, as it is computed in evaluation.
Graph graph_of(const ModelDefinition& model) {
  Builder builder = train::copy_of(model.graph, ops::registry());
  for (const NamedOutput& role : model.roles) builder.output("output." + role.name, role.node);
  for (const LossTerm& term : model.loss) builder.output("loss." + term.name, term.node);
  for (const ModelTerm& metric : model.metrics) builder.output("metric." + metric.name, metric.node);
  return make_executable(prepare(std::move(builder).finish(), ops::registry(), Mode::evaluate),
                         ops::registry());
}

/// The image that [n, h w c] is, by a reshape between it and [n, h, w, c].
Image image_between(const Shape& image, const Shape& flat) {
  if (image.size() != 4 || flat.size() != 2 || image[0] != flat[0]) return std::nullopt;
  if (!std::all_of(image.begin() + 1, image.end(), [](const Dim& dim) { return dim.is_number(); }))
    return std::nullopt;
  return layers::ImageExtents{image[1].offset, image[2].offset, image[3].offset};
}

/// For each node of two axes the image whose pixels the second one runs over.
class FlatImages {
 public:
  explicit FlatImages(const Graph& graph) : graph_(graph), images_(graph.size()) {
    for (NodeId id = 0; id < graph.size(); ++id) forward(id);
    for (auto id = static_cast<NodeId>(graph.size()); id-- > 0;) backward(id);
  }
  const Image& of(NodeId id) const { return images_[id]; }

 private:
  const Shape& shape(NodeId id) const { return graph_.node(id).type.shape; }

  void forward(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->name == "reshape") images_[id] = image_between(shape(node.inputs[0]), shape(id));
    if (!node.op->traits.elementwise) return;
    for (const NodeId input : node.inputs)
      if (shape(input) == shape(id) && !images_[id]) images_[id] = images_[input];
  }

  void backward(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->name == "reshape")
      if (const Image image = image_between(shape(id), shape(node.inputs[0])))
        images_[node.inputs[0]] = image;
    if (!node.op->traits.elementwise || !images_[id]) return;
    for (const NodeId input : node.inputs)
      if (shape(input) == shape(id) && !images_[input]) images_[input] = images_[id];
  }

  const Graph& graph_;
  std::vector<Image> images_;
};

/// "enc.0" of "enc.0.w".
std::string path_of(const std::string& variable) {
  const std::size_t dot = variable.rfind('.');
  return dot == std::string::npos ? variable : variable.substr(0, dot);
}

class LayerSearch {
 public:
  explicit LayerSearch(const Graph& graph) : graph_(graph), images_(graph), users_(graph.size()) {
    for (NodeId id = 0; id < graph.size(); ++id)
      for (const NodeId input : graph.node(id).inputs) users_[input].push_back(id);
  }

  std::vector<Layer> run() {
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (const auto recurrent = recurrent_at(id)) of_recurrent_.insert(recurrent->product);
    for (NodeId id = 0; id < graph_.size(); ++id) look_at(id);
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (is_variable(id) && !taken_.contains(id)) add(LayerKind::free, {{Part::weight, id}});
    return std::move(layers_);
  }

 private:
  using Variables = std::vector<std::pair<Part, NodeId>>;

  bool is_variable(NodeId id) const { return graph_.node(id).op->traits.variable; }

  void look_at(NodeId id) {
    const Node& node = graph_.node(id);
    const std::string& op = node.op->name;
    if (const auto recurrent = recurrent_at(id)) return add_recurrent(node, *recurrent);
    if (of_recurrent_.contains(id)) return;
    if (op == "matmul" && is_variable(node.inputs[1])) return add_product(id, LayerKind::dense);
    if (op == "convolution" && is_variable(node.inputs[1])) return add_product(id, LayerKind::convolution);
    if (op == "transposed_convolution" && is_variable(node.inputs[1]))
      return add_product(id, LayerKind::transposed_convolution);
    if (op == "gather" && is_variable(node.inputs[0])) {
      add(LayerKind::table, {{Part::weight, node.inputs[0]}});
    } else if (const auto norm = layers::batch_normalization(graph_, id)) {
      const bool is_new = add(LayerKind::batch_norm, {{Part::weight, norm->gain},
                                                      {Part::bias, norm->shift},
                                                      {Part::mean, norm->mean},
                                                      {Part::variance, norm->variance}});
      if (is_new) layers_.back().after = images_.of(norm->x);
    } else if (const auto norm_of_rows = layers::layer_normalization(graph_, id)) {
      add(LayerKind::layer_norm, {{Part::weight, norm_of_rows->gain}, {Part::bias, norm_of_rows->shift}});
    }
  }

  void add_product(NodeId id, LayerKind kind) {
    const Node& node = graph_.node(id);
    Variables variables{{Part::weight, node.inputs[1]}};
    if (const auto bias = bias_of(id)) variables.emplace_back(Part::bias, *bias);
    if (!add(kind, variables) || kind != LayerKind::dense) return;
    Layer& layer = layers_.back();
    layer.is_transposed = node.attributes.flag("transpose_b");
    layer.before = images_.of(node.inputs[0]);
    layer.after = images_.of(id);
  }

  /// What gives a recurrence the part of its gates that the input makes: x @ w + b.
  struct Recurrent {
    NodeId product = 0;
    NodeId bias = 0;
  };
  std::optional<Recurrent> recurrent_at(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.op->name != "lstm_steps" && node.op->name != "gru_steps") return std::nullopt;
    const Node& sum = graph_.node(behind_reshapes(node.inputs[0]));
    if (!is_variable(node.inputs[1]) || sum.op->name != "add") return std::nullopt;
    for (const std::size_t first : {0U, 1U}) {
      const NodeId product = behind_reshapes(sum.inputs[first]);
      const Node& made = graph_.node(product);
      if (made.op->name == "matmul" && is_variable(made.inputs[1]) && is_variable(sum.inputs[1 - first]))
        return Recurrent{product, sum.inputs[1 - first]};
    }
    return std::nullopt;
  }

  NodeId behind_reshapes(NodeId id) const {
    while (graph_.node(id).op->name == "reshape") id = graph_.node(id).inputs[0];
    return id;
  }

  void add_recurrent(const Node& steps, const Recurrent& recurrent) {
    Variables variables{{Part::weight, graph_.node(recurrent.product).inputs[1]},
                        {Part::recurrent, steps.inputs[1]},
                        {Part::bias, recurrent.bias}};
    if (is_variable(steps.inputs[2])) variables.emplace_back(Part::recurrent_bias, steps.inputs[2]);
    if (add(steps.op->name == "lstm_steps" ? LayerKind::lstm : LayerKind::gru, variables))
      layers_.back().is_reverse = steps.attributes.flag("reverse");
  }

  /// A variable that is added to the product: one number for each column.
  std::optional<NodeId> bias_of(NodeId product) const {
    const Shape bias{graph_.node(product).type.shape.back()};
    for (const NodeId user : users_[product]) {
      if (graph_.node(user).op->name != "add") continue;
      for (const NodeId other : graph_.node(user).inputs)
        if (is_variable(other) && graph_.node(other).type.shape == bias) return other;
    }
    return std::nullopt;
  }

  /// A layer with those of the variables that no other has; false if there is none.
  bool add(LayerKind kind, const Variables& variables) {
    Layer layer;
    layer.kind = kind;
    layer.path = path_of(graph_.node(variables.front().second).name);
    for (const auto& [part, id] : variables)
      if (taken_.insert(id).second)
        layer.variables.push_back(
            {part, graph_.node(id).name, graphrun::bind(graph_.node(id).type.shape, 1)});
    if (layer.variables.empty()) return false;
    // A layer that shares its weight has a bias alone, which is a variable by itself.
    if (layer.variables.front().part != Part::weight) layer.kind = LayerKind::free;
    if (layer.kind == LayerKind::free) layer.path = layer.variables.front().name;
    layers_.push_back(std::move(layer));
    return true;
  }

  const Graph& graph_;
  FlatImages images_;
  std::vector<std::vector<NodeId>> users_;
  std::set<NodeId> taken_;
  std::set<NodeId> of_recurrent_;  ///< products that are parts of recurrent layers
  std::vector<Layer> layers_;
};

}  // namespace

std::vector<Layer> layers_of(const ModelDefinition& model) {
  return LayerSearch(graph_of(model)).run();
}

std::string_view to_string(LayerKind kind) {
  switch (kind) {
    case LayerKind::dense:
      return "dense";
    case LayerKind::convolution:
      return "convolution";
    case LayerKind::transposed_convolution:
      return "transposed convolution";
    case LayerKind::batch_norm:
      return "batch norm";
    case LayerKind::layer_norm:
      return "layer norm";
    case LayerKind::lstm:
      return "lstm";
    case LayerKind::gru:
      return "gru";
    case LayerKind::table:
      return "table";
    case LayerKind::free:
      break;
  }
  return "variable";
}

}  // namespace graphrun::weights
