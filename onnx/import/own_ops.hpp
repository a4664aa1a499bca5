/// \file
/// Several nodes that an export writes for an op that ONNX has not, as one again.
#pragma once

#include "onnx/records.hpp"

namespace graphrun::onnx {

/// TopK, OneHot and ReduceSum, of which nobody sees anything but the end, become "graphrun.TopKMask" of the
/// values, k and the number of places.
GraphRecord with_own_ops(GraphRecord graph);

}  // namespace graphrun::onnx
