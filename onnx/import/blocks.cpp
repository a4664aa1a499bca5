#include "onnx/import/blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "graph/op.hpp"
#include "layers/patterns.hpp"
#include "onnx/import/attribute_text.hpp"

namespace graphrun::onnx {

namespace {

constexpr std::array<std::string_view, 11> activations = {"relu", "sigmoid", "tanh",       "softplus",
                                                          "silu", "gelu",    "elu",        "leaky_relu",
                                                          "exp",  "softmax", "log_softmax"};

}  // namespace

/// Counts the uses of what is needed.
Blocks::Blocks(const Graph& graph, const Written& options)
    : graph_(graph), options_(options), uses_(graph.size(), 0) {
  std::vector<bool> needed(graph.size(), false);
  for (const NamedOutput& output : graph.outputs()) {
    outputs_.insert(output.node);
    needed[output.node] = true;
    ++uses_[output.node];
  }
  for (NodeId id = static_cast<NodeId>(graph.size()); id-- > 0;) {
    if (!needed[id]) continue;
    for (const NodeId input : node(id).inputs) {
      needed[input] = true;
      ++uses_[input];
    }
  }
}

std::optional<Entry> Blocks::found(NodeId id) const {
  for (const auto find : {&Blocks::layer, &Blocks::recurrence, &Blocks::normalisation, &Blocks::simple})
    if (std::optional<Entry> entry = (this->*find)(id)) return entry;
  return std::nullopt;
}

bool Blocks::learns(NodeId id) const {
  const std::string& name = options_.variables.at(id).name;
  if (options_.trainable == nullptr) return !name.empty();
  return std::ranges::find(*options_.trainable, name) != options_.trainable->end();
}

Arguments Blocks::attributes_of(const Node& node) const {
  Arguments arguments;
  for (const AttributeDeclaration& declared : node.op->attributes) {
    const AttributeValue* const value = node.attributes.find(declared.name);
    if (value == nullptr || declared.internal || (declared.fallback && *declared.fallback == *value))
      continue;
    arguments.emplace_back(declared.name, text_of(*value));
  }
  return arguments;
}

bool Blocks::is_all(NodeId id, double number) const {
  if (!node(id).op->traits.constant) return false;
  return std::ranges::all_of(node(id).attributes.numbers("values"), [&](double x) { return x == number; });
}

/// A product with a weight, what is added to it, and what it is the argument of.
std::optional<Entry> Blocks::layer(NodeId id) const {
  Entry entry;
  std::string act;
  NodeId at = id;
  if (std::ranges::find(activations, node(at).op->name) != activations.end() && has_defaults(node(at)) &&
      is_inner(node(at).inputs[0])) {
    act = node(at).op->name;
    at = node(at).inputs[0];
  }
  std::optional<NodeId> bias;
  if (node(at).op->name == "add" && is_own(node(at).inputs[1], 1) && is_inner(node(at).inputs[0])) {
    bias = node(at).inputs[1];
    at = node(at).inputs[0];
  }
  const Node& product = node(at);
  if (product.inputs.size() != 2) return std::nullopt;
  const NodeId weight = product.inputs[1];
  const std::string& op = product.op->name;
  const Shape& shape = node(weight).type.shape;
  const auto extent = [&](std::size_t axis) { return shape[axis].offset; };
  if (op == "matmul" && is_own(weight, 2) && has_defaults(product)) {
    entry.op = "dense";
    entry.arguments = {{"units", fmt::format("{}", extent(1))}};
  } else if ((op == "convolution" || op == "transposed_convolution") && is_own(weight, 4)) {
    const bool is_transposed = op == "transposed_convolution";
    if (product.attributes.find("size") != nullptr && !product.attributes.integers("size").empty())
      return std::nullopt;
    const std::int64_t groups = product.attributes.integer("groups");
    entry.op = is_transposed ? "conv_transpose2d" : "conv2d";
    entry.arguments = {{"channels", fmt::format("{}", is_transposed ? extent(2) * groups : extent(3))}};
    const std::string kernel =
        extent(0) == extent(1) ? fmt::format("{}", extent(0)) : fmt::format("[{}, {}]", extent(0), extent(1));
    if (is_transposed || kernel != "3") entry.arguments.emplace_back("kernel", kernel);
    // The block of the transposed one has defaults of its own.
    for (const char* const name : {"stride", "pad", "dilation", "groups"}) {
      const std::string text = text_of(*product.attributes.find(name));
      const std::string_view name_text = name;
      const std::string usual = !is_transposed          ? (name_text == "pad" ? "0" : "1")
                                : name_text == "stride" ? "2"
                                                        : "1";
      if (text != usual) entry.arguments.emplace_back(name, text);
    }
  } else {
    return std::nullopt;
  }
  if (bias && node(*bias).type.shape[0] != node(at).type.shape.back()) return std::nullopt;
  if (!act.empty()) entry.arguments.emplace_back("act", act);
  if (!bias) entry.arguments.emplace_back("bias", "false");
  entry.node = id;
  entry.inputs = {product.inputs[0]};
  entry.weights = {{"w", weight}};
  if (bias) entry.weights.emplace_back("b", *bias);
  return entry;
}

/// What is given to the gates by a layer of its own, states that begin at zero, and of an LSTM h alone.
std::optional<Entry> Blocks::recurrence(NodeId id) const {
  const bool is_part = node(id).op->name == "slice";
  const NodeId at = is_part ? node(id).inputs[0] : id;
  const Node& steps = node(at);
  const bool is_lstm = steps.op->name == "lstm_steps";
  if (is_part != is_lstm || (!is_lstm && steps.op->name != "gru_steps")) return std::nullopt;
  const Shape& u = node(steps.inputs[1]).type.shape;
  if (is_part) {
    const Attributes& part = node(id).attributes;
    const bool is_h = part.integer("axis") == 2 && part.integer("start") == 0 && part.integer("step") == 1 &&
                      part.integer("stop") == u[0].offset;
    if (!is_h || !is_inner(at)) return std::nullopt;
  }
  const NodeId given = steps.inputs[0];
  const std::vector<NodeId>* const sum = layers::inputs_of(graph_, given, "add");
  if (sum == nullptr || !is_inner(given) || !is_own((*sum)[1], 1) || !is_inner((*sum)[0]))
    return std::nullopt;
  const Node& product = node((*sum)[0]);
  if (product.op->name != "matmul" || !has_defaults(product) || !is_own(product.inputs[1], 2))
    return std::nullopt;
  const bool has_bias = is_lstm ? is_all(steps.inputs[2], 0) : is_own(steps.inputs[2], 1);
  if (!is_own(steps.inputs[1], 2) || !has_bias || !is_all(steps.inputs[4], 0)) return std::nullopt;
  if (!steps.type.shape[0].is_batch()) return std::nullopt;
  Entry entry;
  entry.node = id;
  entry.op = is_lstm ? "lstm" : "gru";
  entry.inputs = {product.inputs[0]};
  if (!is_all(steps.inputs[3], 1)) {
    if (!node(steps.inputs[3]).type.shape[0].is_batch()) return std::nullopt;
    entry.op = "masked_" + entry.op;
    entry.inputs.push_back(steps.inputs[3]);
  }
  entry.arguments = {{"units", fmt::format("{}", u[0].offset)}};
  if (steps.attributes.flag("reverse")) entry.arguments.emplace_back("reverse", "true");
  entry.weights = {{"w", product.inputs[1]}, {"u", steps.inputs[1]}, {"b", (*sum)[1]}};
  if (!is_lstm) entry.weights.emplace_back("recurrent", steps.inputs[2]);
  return entry;
}

std::optional<Entry> Blocks::normalisation(NodeId id) const {
  const auto entry_of = [&](const layers::Normalization& found, const char* op,
                            const std::vector<std::pair<std::string, NodeId>>& weights) {
    Entry entry;
    entry.node = id;
    entry.op = op;
    entry.inputs = {found.x};
    if (static_cast<float>(found.epsilon) != 1e-5F) entry.arguments = {{"epsilon", text_of(found.epsilon)}};
    entry.weights = weights;
    return entry;
  };
  const auto are_variables = [&](std::initializer_list<NodeId> ids) {
    return std::ranges::all_of(ids, [&](NodeId weight) { return is_variable(weight) && uses_[weight] == 1; });
  };
  if (const auto found = layers::batch_normalization(graph_, id);
      found && are_variables({found->gain, found->shift, found->mean, found->variance}))
    return entry_of(*found, "batch_norm",
                    {{"gain", found->gain},
                     {"shift", found->shift},
                     {"mean", found->mean},
                     {"variance", found->variance}});
  if (const auto found = layers::layer_normalization(graph_, id);
      found && are_variables({found->gain, found->shift}))
    return entry_of(*found, "layer_norm", {{"gain", found->gain}, {"shift", found->shift}});
  return std::nullopt;
}

std::optional<Entry> Blocks::simple(NodeId id) const {
  Entry entry;
  entry.node = id;
  if (const std::optional<layers::Reduction> mean = layers::mean_of(graph_, id);
      mean && is_inner(node(id).inputs[0])) {
    entry.op = "mean";
    entry.inputs = {mean->x};
    if (mean->axes.size() != node(mean->x).type.shape.size())
      entry.arguments.emplace_back("axis", fmt::format("[{}]", fmt::join(mean->axes, ", ")));
    if (mean->keepdims) entry.arguments.emplace_back("keepdims", "true");
    return entry;
  }
  const Node& reshape = node(id);
  if (reshape.op->name != "reshape" || reshape.type.shape.size() != 2) return std::nullopt;
  const Shape& from = node(reshape.inputs[0]).type.shape;
  if (from.size() < 3 || from[0] != reshape.type.shape[0] || !from[0].is_batch()) return std::nullopt;
  entry.op = "flatten";
  entry.inputs = {reshape.inputs[0]};
  return entry;
}

}  // namespace graphrun::onnx
