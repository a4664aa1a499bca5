/// \file
/// What canonicalise rules ask about the nodes below theirs.
#pragma once

#include <optional>
#include <string_view>

#include "graph/graph.hpp"

namespace graphrun::ops {

/// The value of a scalar constant, when the node is one.
std::optional<double> scalar_constant(const Builder& builder, NodeId id);

/// The inputs of the node when it is an application of this op, else null.
const std::vector<NodeId>* inputs_of(const Builder& builder, NodeId id, std::string_view op);

/// z, when the node is -softplus(-z), the stable form of ln(sigmoid(z)).
std::optional<NodeId> log_sigmoid_argument(const Builder& builder, NodeId id);

/// z, when the node is -softplus(z), the stable form of ln(1 - sigmoid(z)).
std::optional<NodeId> log_one_minus_sigmoid_argument(const Builder& builder, NodeId id);

}  // namespace graphrun::ops
