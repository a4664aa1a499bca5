/// \file
/// From a graph to the ONNX graph that computes the same.
#pragma once

#include "graph/graph.hpp"
#include "onnx/emitter.hpp"
#include "onnx/records.hpp"

namespace graphrun::onnx {

/// `graph` is in executable form, in evaluation mode. Throws ModelError with all nodes that ONNX has nothing
/// for: those that draw random numbers, those that only gradients are made of, and shapes that no input
/// tells.
GraphRecord translate(const Graph& graph, const Surroundings& surroundings, std::int64_t opset);

}  // namespace graphrun::onnx
