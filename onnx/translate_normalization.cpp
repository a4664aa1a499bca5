// Layers that are several nodes of a graph and one of ONNX. They are known by what they compute, not by what
// they are called.
#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

/// Both operands of a commutative op, in either order.
template <class Try>
bool in_either_order(const std::vector<NodeId>& operands, const Try& attempt) {
  return attempt(operands[0], operands[1]) || attempt(operands[1], operands[0]);
}

bool is_stored_vector(const Emitter& emitter, NodeId id, const Dim& length) {
  const Node& node = emitter.node(id);
  return node.op->traits.variable && node.type.shape == Shape{length};
}

/// sqrt(variance + epsilon), the way normalisations have it.
struct Deviation {
  NodeId variance = 0;
  double epsilon = 0;
};
std::optional<Deviation> deviation_of(const Graph& graph, NodeId id) {
  const std::vector<NodeId>* const root = inputs_of(graph, id, "sqrt");
  const std::vector<NodeId>* const sum = root == nullptr ? nullptr : inputs_of(graph, root->at(0), "add");
  if (sum == nullptr) return std::nullopt;
  if (const auto epsilon = constant_number(graph, sum->at(1))) return Deviation{sum->at(0), *epsilon};
  if (const auto epsilon = constant_number(graph, sum->at(0))) return Deviation{sum->at(1), *epsilon};
  return std::nullopt;
}

/// (x - mean) * (gain / sqrt(variance + epsilon)) + shift.
bool define_by_averages(Emitter& emitter, NodeId id, NodeId centred, NodeId scale, NodeId shift) {
  const Graph& graph = emitter.graph();
  const std::vector<NodeId>* const difference = inputs_of(graph, centred, "sub");
  const std::vector<NodeId>* const quotient = inputs_of(graph, scale, "div");
  if (difference == nullptr || quotient == nullptr) return false;
  const std::optional<Deviation> deviation = deviation_of(graph, quotient->at(1));
  const NodeId x = difference->at(0);
  const Shape& shape = emitter.node(x).type.shape;
  if (!deviation || shape != emitter.node(id).type.shape || (shape.size() != 2 && shape.size() != 4))
    return false;
  const NodeId weights[] = {quotient->at(0), shift, difference->at(1), deviation->variance};
  for (const NodeId weight : weights)
    if (!is_stored_vector(emitter, weight, shape.back())) return false;
  const bool is_image = shape.size() == 4;
  const Layout layout = is_image ? channels_first : emitter.planned(id);
  std::vector<Value> inputs{emitter.value(x, layout)};
  for (const NodeId weight : weights) inputs.push_back(emitter.value(weight, is_image ? plain : layout));
  const auto epsilon = static_cast<float>(deviation->epsilon);
  emitter.define(id, emitter.add("BatchNormalization", std::move(inputs), {{"epsilon", epsilon}}), layout);
  return true;
}

/// (x - mean x) / sqrt(mean (x - mean x)^2 + epsilon): the x of it, and epsilon.
std::optional<Deviation> normalised(const Graph& graph, NodeId id) {
  const std::vector<NodeId>* const quotient = inputs_of(graph, id, "div");
  if (quotient == nullptr) return std::nullopt;
  const NodeId centred = quotient->at(0);
  const std::vector<NodeId>* const difference = inputs_of(graph, centred, "sub");
  const std::optional<Deviation> deviation = deviation_of(graph, quotient->at(1));
  if (difference == nullptr || !deviation) return std::nullopt;
  const NodeId x = difference->at(0);
  const std::optional<Reduction> mean = mean_of(graph, difference->at(1));
  const std::optional<Reduction> variance = mean_of(graph, deviation->variance);
  const std::vector<std::size_t> last{graph.node(x).type.shape.size() - 1};
  if (!mean || mean->x != x || mean->axes != last || !mean->keepdims) return std::nullopt;
  if (!variance || variance->axes != last || !variance->keepdims) return std::nullopt;
  const std::vector<NodeId>* const square = inputs_of(graph, variance->x, "square");
  if (square == nullptr || square->at(0) != centred) return std::nullopt;
  return Deviation{x, deviation->epsilon};
}

bool define_over_last_axis(Emitter& emitter, NodeId id, NodeId unit, NodeId gain, NodeId shift) {
  const std::optional<Deviation> found = normalised(emitter.graph(), unit);
  const Dim length = emitter.node(id).type.shape.back();
  if (!found || !is_stored_vector(emitter, gain, length) || !is_stored_vector(emitter, shift, length))
    return false;
  const std::vector<Value> inputs{emitter.value(found->variance), emitter.value(gain), emitter.value(shift)};
  emitter.define(id,
                 emitter.add("LayerNormalization", inputs,
                             {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(found->epsilon)}}));
  return true;
}

/// The operands of a product, added to `shift`.
template <class Define>
bool of_scaled_and_shifted(Emitter& emitter, NodeId id, const Define& define) {
  return in_either_order(emitter.node(id).inputs, [&](NodeId product, NodeId shift) {
    const std::vector<NodeId>* const factors = inputs_of(emitter.graph(), product, "mul");
    return factors != nullptr &&
           in_either_order(*factors, [&](NodeId a, NodeId b) { return define(emitter, id, a, b, shift); });
  });
}

}  // namespace

bool define_batch_normalization(Emitter& emitter, NodeId id) {
  return of_scaled_and_shifted(emitter, id, define_by_averages);
}

bool define_layer_normalization(Emitter& emitter, NodeId id) {
  if (emitter.opset() < 17 || emitter.node(id).type.shape.empty()) return false;
  return of_scaled_and_shifted(emitter, id, define_over_last_axis);
}

}  // namespace graphrun::onnx
