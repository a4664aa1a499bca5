/// \file
/// What is done to the nodes of a file before they are looked at one by one.
#pragma once

#include <cstddef>
#include <vector>

#include "onnx/import/read_model.hpp"
#include "onnx/records.hpp"

namespace graphrun::onnx {

/// Calls of functions that the file brings become the nodes of these, in graphs within too. What is inside
/// has the name of what it makes before its own: "h/t". MalformedFile: the functions call each other in a
/// circle, or would become more nodes than a file may have, or more bytes of names and numbers than these.
GraphRecord with_functions_inlined(GraphRecord graph, const std::vector<FunctionRecord>& functions,
                                   std::size_t most_bytes = std::size_t{1} << 30);

/// Several nodes that an export writes for an op that ONNX has not are one again: TopK, OneHot and ReduceSum,
/// of which nobody sees anything but the end, become "graphrun.TopKMask" of the values, k and the number of
/// places.
GraphRecord with_own_ops(GraphRecord graph);

}  // namespace graphrun::onnx
