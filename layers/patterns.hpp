/// \file
/// Layers as one finds them in a graph in executable form: by what they compute, not by what they are called.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace graphrun::layers {

/// Is it a variable or a constant: something whose values are in a file of weights?
bool is_stored(const Node& node);

/// How often each node is used: by other nodes, and as a named output.
std::vector<std::size_t> uses_of(const Graph& graph);

/// The number, if the node is a scalar constant.
std::optional<double> constant_number(const Graph& graph, NodeId id);

/// A node's inputs, if it is of this op.
const std::vector<NodeId>* inputs_of(const Graph& graph, NodeId id, std::string_view op);

/// A reduction of `x` that keeps or drops the axes, which are in order.
struct Reduction {
  NodeId x = 0;
  std::vector<std::size_t> axes;
  bool keepdims = false;
};
/// Of a node with the attributes `axis` and `keepdims`.
Reduction reduction_of(const Graph& graph, NodeId id);
/// Is the node a mean, a sum over what it sums up?
std::optional<Reduction> mean_of(const Graph& graph, NodeId id);

/// A normalisation with a variable for each number of the last axis.
struct Normalization {
  NodeId x = 0;
  NodeId gain = 0;
  NodeId shift = 0;
  NodeId mean = 0;  ///< by averages: of the data, as `variance`
  NodeId variance = 0;
  double epsilon = 0;
};
/// By averages that are variables, as the block batch_norm is in evaluation.
std::optional<Normalization> batch_normalization(const Graph& graph, NodeId id);
/// Over the last axis of each sample, as the block layer_norm.
std::optional<Normalization> layer_normalization(const Graph& graph, NodeId id);

}  // namespace graphrun::layers
