/// \file
/// What rules ask about the nodes below theirs.
#pragma once

#include <optional>
#include <string_view>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun::ops {

/// The value of a scalar constant, when the node is one.
std::optional<double> scalar_constant(const Builder& builder, NodeId id);

/// The number that every element of the node is: a constant, or one that was broadcast, reshaped or
/// transposed.
std::optional<double> uniform_constant(const Builder& builder, NodeId id);

/// Of two operands: the one that stands for the node when the other is uniformly `neutral`, told from its
/// sign too (-0 is not 0), if it has its type.
std::optional<NodeId> without_neutral(const RuleContext& context, std::size_t kept, double neutral);

/// The inputs of the node when it is an application of this op with default attributes, else null: a rule
/// sees through no attribute that it does not know.
const std::vector<NodeId>* inputs_of(const Builder& builder, NodeId id, std::string_view op);

/// z, when the node is -softplus(-z), the stable form of ln(sigmoid(z)).
std::optional<NodeId> log_sigmoid_argument(const Builder& builder, NodeId id);

/// z, when the node is -softplus(z), the stable form of ln(1 - sigmoid(z)).
std::optional<NodeId> log_one_minus_sigmoid_argument(const Builder& builder, NodeId id);

}  // namespace graphrun::ops
