/// \file
/// The kernel of ops that only move elements: the output, in order, taken from the input by strides.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "graph/type.hpp"
#include "runtime/kernels/kernel.hpp"

namespace graphrun::ops {

/// Where an output element comes from: offset + sum of index × stride over the output's axes, in elements.
struct StridedView {
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
};

/// The strides of a dense row-major tensor.
std::vector<std::int64_t> dense_strides(const Extents& extents);

/// Copies by rows of the output, whole or sliced (then the view's first stride is of sliced rows, or 0).
std::unique_ptr<runtime::Call> make_strided_copy(const Extents& output, const StridedView& view, DType dtype);

/// The adjoint: zeros, with the dense input at the view's places in the output. `by_rows`: a call covers as
/// many rows of the input as of the output; else all of both.
std::unique_ptr<runtime::Call> make_strided_place(const Extents& input, const Extents& output,
                                                  const StridedView& view, bool by_rows, DType dtype);

/// The same on the reference's doubles.
void copy_strided(const HostTensor& input, const StridedView& view, HostTensor& output);
void place_strided(const HostTensor& input, const StridedView& view, HostTensor& output);

}  // namespace graphrun::ops
