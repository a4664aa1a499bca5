#include "layers/patterns.hpp"

#include <algorithm>

#include "graph/op.hpp"

namespace graphrun::layers {

namespace {

std::vector<std::size_t> resolved(const Axes& axes, std::size_t rank) {
  std::vector<std::size_t> result;
  if (axes.all)
    for (std::size_t axis = 0; axis < rank; ++axis) result.push_back(axis);
  else
    for (const std::int64_t axis : axes.list) result.push_back(*normalised_axis(axis, rank));
  std::ranges::sort(result);
  return result;
}

/// Do the sum's axes hold so many elements? A number, or the `size` of the same axes.
bool counts(const Graph& graph, NodeId count, const Reduction& sum) {
  const Shape& shape = graph.node(sum.x).type.shape;
  if (const std::optional<double> number = constant_number(graph, count)) {
    double elements = 1;
    for (const std::size_t axis : sum.axes) {
      if (!shape[axis].is_number()) return false;
      elements *= static_cast<double>(shape[axis].offset);
    }
    return elements == *number;
  }
  const std::vector<NodeId>* const of = inputs_of(graph, count, "size");
  return of != nullptr && graph.node(of->front()).type.shape == shape &&
         resolved(graph.node(count).attributes.axes("axis"), shape.size()) == sum.axes;
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

bool is_vector_variable(const Graph& graph, NodeId id, const Dim& length) {
  const Node& node = graph.node(id);
  return node.op->traits.variable && node.type.shape == Shape{length};
}

/// (x - mean) * (gain / sqrt(variance + epsilon)) + shift.
std::optional<Normalization> by_averages(const Graph& graph, NodeId x, NodeId mean, NodeId scale,
                                         NodeId shift) {
  const std::vector<NodeId>* const quotient = inputs_of(graph, scale, "div");
  if (quotient == nullptr) return std::nullopt;
  const std::optional<Deviation> deviation = deviation_of(graph, quotient->at(1));
  const Shape& shape = graph.node(x).type.shape;
  if (!deviation || shape.empty()) return std::nullopt;
  const Normalization found{x, quotient->at(0), shift, mean, deviation->variance, deviation->epsilon};
  for (const NodeId weight : {found.gain, found.shift, found.mean, found.variance})
    if (!is_vector_variable(graph, weight, shape.back())) return std::nullopt;
  return found;
}

std::optional<Normalization> of_centred(const Graph& graph, NodeId centred, NodeId scale, NodeId shift) {
  const std::vector<NodeId>* const difference = inputs_of(graph, centred, "sub");
  if (difference == nullptr) return std::nullopt;
  return by_averages(graph, difference->at(0), difference->at(1), scale, shift);
}

/// (x - mean x) / sqrt(mean (x - mean x)^2 + epsilon): x, and epsilon.
std::optional<std::pair<NodeId, double>> normalised(const Graph& graph, NodeId id) {
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
  return std::pair{x, deviation->epsilon};
}

std::optional<Normalization> over_last_axis(const Graph& graph, NodeId unit, NodeId gain, NodeId shift) {
  const auto found = normalised(graph, unit);
  if (!found) return std::nullopt;
  const Dim length = graph.node(found->first).type.shape.back();
  if (!is_vector_variable(graph, gain, length) || !is_vector_variable(graph, shift, length))
    return std::nullopt;
  return Normalization{found->first, gain, shift, gain, gain, found->second};
}

/// a * b + shift, tried in all orders of the operands.
template <class Try>
std::optional<Normalization> of_scaled_and_shifted(const Graph& graph, NodeId id, const Try& attempt) {
  const std::vector<NodeId>* const terms = inputs_of(graph, id, "add");
  if (terms == nullptr) return std::nullopt;
  for (const std::size_t first : {0U, 1U}) {
    const std::vector<NodeId>* const factors = inputs_of(graph, terms->at(first), "mul");
    if (factors == nullptr) continue;
    const NodeId shift = terms->at(1 - first);
    if (const auto found = attempt(graph, factors->at(0), factors->at(1), shift)) return found;
    if (const auto found = attempt(graph, factors->at(1), factors->at(0), shift)) return found;
  }
  return std::nullopt;
}

}  // namespace

bool is_stored(const Node& node) {
  return node.op->traits.variable || (node.op->traits.constant && node.inputs.empty());
}

std::vector<std::size_t> uses_of(const Graph& graph) {
  std::vector<std::size_t> uses(graph.size(), 0);
  for (const Node& node : graph.nodes())
    for (const NodeId input : node.inputs) ++uses[input];
  for (const NamedOutput& output : graph.outputs()) ++uses[output.node];
  return uses;
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

Reduction reduction_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const std::size_t rank = graph.node(node.inputs[0]).type.shape.size();
  return {node.inputs[0], resolved(node.attributes.axes("axis"), rank), node.attributes.flag("keepdims")};
}

std::optional<Reduction> mean_of(const Graph& graph, NodeId id) {
  const std::vector<NodeId>* const quotient = inputs_of(graph, id, "div");
  if (quotient == nullptr || inputs_of(graph, quotient->at(0), "sum") == nullptr) return std::nullopt;
  const Reduction sum = reduction_of(graph, quotient->at(0));
  if (sum.axes.empty() || !counts(graph, quotient->at(1), sum)) return std::nullopt;
  return sum;
}

std::optional<Normalization> batch_normalization(const Graph& graph, NodeId id) {
  if (const std::vector<NodeId>* const all = inputs_of(graph, id, "normalise"))
    return by_averages(graph, all->at(0), all->at(1), all->at(2), all->at(3));
  return of_scaled_and_shifted(graph, id, of_centred);
}

std::optional<Normalization> layer_normalization(const Graph& graph, NodeId id) {
  return of_scaled_and_shifted(graph, id, over_last_axis);
}

}  // namespace graphrun::layers
