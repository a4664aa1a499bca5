/// \file
/// Running averages: variables that follow a value of the training graph step by step, such as the statistics
/// of batch_norm. Learning moves them, evaluation reads them, and no gradient reaches them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"

namespace graphrun::train {

/// The graph with an output for each value that one of the averages `moving` follows: modes are still to be
/// chosen, and the outputs keep what they need. Throws Error{model} when an average is no variable of its own
/// that nothing learns.
Graph with_running_values(Graph graph, const OpRegistry& registry, const std::vector<std::string>& moving);

/// Is this the name of such an output?
bool is_running_value(std::string_view output);

/// Adds the updates, each of which waits for what optimizers wait for. `model` is the graph before the mode
/// was chosen; `prepared` are the outputs of the one after, with which the builder begins.
void append_running_averages(Builder& builder, const Graph& model, std::span<const NamedOutput> prepared,
                             const std::vector<std::string>& moving);

}  // namespace graphrun::train
