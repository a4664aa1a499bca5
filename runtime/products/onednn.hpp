/// \file
/// The fence around oneDNN: what stands behind it (onednn_fence.hpp, onednn_*.cpp) alone sees it, and builds
/// against 2.6 and 3.x. Primitives are made and run single-threaded (a run must happen under HostState, which
/// sets OpenMP to one thread), with the caller's scratchpad, and compute in f32 whatever the environment
/// says.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "runtime/machine/isa.hpp"
#include "runtime/products/convolution.hpp"
#include "runtime/products/eltwise.hpp"
#include "runtime/products/matmul.hpp"

namespace graphrun::runtime {

/// It computes with int here and there, and does not check: no size and no number of elements is larger.
inline constexpr std::int64_t onednn_largest = std::numeric_limits<std::int32_t>::max();

/// `isa` is that of our own kernels beside the primitive: sums of columns, activations, rows of a transposed
/// operand that lie apart. On the oldest one oneDNN runs the activations that it has, and of bf16 always.
/// Throws Error{internal} when oneDNN refuses the product.
std::unique_ptr<Matmul> make_onednn_matmul(const MatmulSpec& spec, Isa isa = detected_isa());

/// oneDNN chooses the layout of the weights, which a run converts; images stay as they are, and run one by
/// one where they do not depend on each other. Throws Error{internal} when oneDNN refuses the convolution.
std::unique_ptr<Convolution> make_onednn_convolution(const ConvolutionSpec& spec);

/// A convolution alone, as fast as oneDNN makes it: all images in one run, each operand in the layout that it
/// likes best, in memory of its own. What a plan is measured against; its operands lie as others need them.
class RawConvolution {
 public:
  virtual ~RawConvolution() = default;
  /// False when oneDNN failed.
  virtual bool run() noexcept = 0;
};
std::unique_ptr<RawConvolution> make_raw_convolution(const ConvolutionSpec& spec);

/// The function must let NaN through; a gradient is that of tanh or sigmoid. Throws Error{internal} when
/// oneDNN refuses it.
std::unique_ptr<Eltwise> make_onednn_eltwise(const EltwiseSpec& spec);

/// oneDNN's relu makes 0 of a NaN, and a run that has gone wrong would look well.
bool lets_nan_through(const PostOpSpec& function);

/// Throws Error{io} for a library that starts threads of its own which we cannot keep at one: TBB's, SYCL's.
/// `runtime` is dnnl_version_t::cpu_runtime.
void require_one_thread(unsigned runtime);

/// "2.6.3": of the library that runs. Where nothing has needed it, it is not opened to be asked: then it is
/// the one that this was built with, and no bit follows from it.
std::string onednn_version();

}  // namespace graphrun::runtime
