/// \file
/// The fence around oneDNN: what stands behind it (onednn_fence.hpp, onednn_*.cpp) alone sees it, and builds
/// against 2.6 and 3.x. Primitives are made and run single-threaded (a run must happen under HostState, which
/// sets OpenMP to one thread), with the caller's scratchpad.
#pragma once

#include <memory>
#include <string>

#include "runtime/products/convolution.hpp"
#include "runtime/products/matmul.hpp"

namespace graphrun::runtime {

/// Throws Error{internal} when oneDNN refuses the product.
std::unique_ptr<Matmul> make_onednn_matmul(const MatmulSpec& spec);

/// oneDNN chooses the layout of the weights, which a run converts; images stay as they are, and run one by
/// one where they do not depend on each other. Throws Error{internal} when oneDNN refuses the convolution.
std::unique_ptr<Convolution> make_onednn_convolution(const ConvolutionSpec& spec);

/// Whether an activation may ride on a product. Not relu: oneDNN's makes 0 of a NaN, and a run that has gone
/// wrong would look well.
bool rides_on_onednn(const PostOpSpec& activation);

/// "2.6.3": of the library that runs.
std::string onednn_version();

}  // namespace graphrun::runtime
