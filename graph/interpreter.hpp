/// \file
/// The f64 reference interpreter: runs any Graph node by node, by each op's `reference`, and knows nothing of
/// plans. Slow and exact: the oracle of the tests, the gradient checker and constant folding.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun {

/// The variables of a model by name, in f64.
using HostVariables = std::map<std::string, HostTensor>;

struct InterpreterRun {
  std::int64_t batch = 1;
  /// Values by node name. Any node may be fed, not only inputs: feeding cuts the graph there.
  std::map<std::string, HostTensor> feeds = {};
  RandomState random = {};
};

/// Runs all nodes, effects included (they update `variables`), and returns the value of each node; a node
/// that is needed by none of the outputs and effects keeps an empty value. Throws Error{usage} for a
/// missing input or a variable without value, Error{model} for a feed of the wrong shape.
std::vector<HostTensor> interpret(const Graph& graph, HostVariables& variables, const InterpreterRun& run);

/// Computes the nodes of `which` (ascending) again from the other values of an earlier run of the same graph:
/// what follows from a value that the caller has changed. No effects, variables or inputs.
void recompute(const Graph& graph, const InterpreterRun& run, std::span<const NodeId> which,
               std::vector<HostTensor>& values);

/// The value of one node of a shape without the batch, from the values of its inputs.
HostTensor compute(const Node& node, std::span<const HostTensor> inputs);

}  // namespace graphrun
