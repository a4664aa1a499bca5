/// \file
/// Computes small nodes whose inputs are all constants, by their f64 reference.
///
/// Safe because a constant is what the node would have given, to the bit: in f64, since the reference is the
/// meaning of an op, and in f32, since only numbers that f32 holds go in, and only through ops that round
/// once (Traits::rounds_once). So 2 / 784 is folded, and a product of it with 3 is left to the kernels.
/// Left alone: random ops, effects, marks for gradients, anything with the batch in its shape, what its type
/// cannot hold, and what has more than `most_elements`, which would only make the plan larger. Runs among the
/// exact passes.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "graph/interpreter.hpp"
#include "graph/passes/apply_rules.hpp"

namespace graphrun {
namespace {

constexpr std::int64_t most_elements = 64;

bool is_small(const Type& type) {
  const bool fixed =
      std::all_of(type.shape.begin(), type.shape.end(), [](Dim dim) { return dim.is_number(); });
  return fixed && element_count(graphrun::bind(type.shape, 1)) <= most_elements;
}

bool is_foldable(const Node& node) {
  const Traits& traits = node.op->traits;
  const bool exact = traits.rounds_once || traits.moves;
  return exact && !traits.forwards_first && !node.inputs.empty() && is_small(node.type);
}

/// Numbers that kernels take for what they are, where they flush others to zero.
bool is_normal(DType dtype, double x) {
  return dtype != DType::f32 || x == 0 || !(std::abs(x) < std::numeric_limits<float>::min());
}

bool is_exact(DType dtype, double x) {
  const bool f32 = dtype == DType::f32 && !std::isnan(x);
  return holds(dtype, x) && is_normal(dtype, x) && (!f32 || static_cast<double>(static_cast<float>(x)) == x);
}

/// The elements of a small constant whose type holds them exactly, or nothing.
std::optional<HostTensor> value_of(const Node& node) {
  if (!node.op->traits.constant || !is_small(node.type)) return std::nullopt;
  HostTensor value{graphrun::bind(node.type.shape, 1), node.attributes.numbers("values")};
  if (!std::ranges::all_of(value.values, [&](double x) { return is_exact(node.type.dtype, x); }))
    return std::nullopt;
  value.values.resize(static_cast<std::size_t>(element_count(value.extents)), value.values.front());
  return value;
}

bool same_bits(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

std::optional<NodeId> fold(RuleContext& context) {
  const Node& node = context.node;
  if (!is_foldable(node)) return std::nullopt;
  std::vector<HostTensor> values;
  for (const NodeId input : node.inputs) {
    std::optional<HostTensor> value = value_of(context.builder.node(input));
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  HostTensor result = compute(node, values);
  const DType dtype = node.type.dtype;
  if (!std::ranges::all_of(result.values,
                           [dtype](double x) { return holds(dtype, x) && is_normal(dtype, x); }))
    return std::nullopt;
  const double first = result.values.front();
  if (std::ranges::all_of(result.values, [first](double x) { return same_bits(x, first); }))
    result.values.resize(1);
  return context.builder.add("constant", {},
                             {{"values", std::move(result.values)},
                              {"shape", node.type.shape},
                              {"dtype", std::string(to_string(dtype))}});
}

}  // namespace

Graph fold_constants(Graph graph, const OpRegistry& registry) {
  return apply_once(std::move(graph), registry,
                    std::array{Rule{"constant_of_constants", Phase::exact, fold}});
}

}  // namespace graphrun
