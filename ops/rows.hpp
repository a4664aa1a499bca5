/// \file
/// How kernels count what a call covers.
#pragma once

#include <algorithm>
#include <cstddef>

#include "graph/type.hpp"
#include "runtime/kernels/kernel.hpp"

namespace graphrun::ops {

/// The elements of one row: all axes but the first.
inline std::size_t elements_per_row(const Extents& extents) {
  std::size_t count = 1;
  for (std::size_t axis = 1; axis < extents.size(); ++axis) count *= static_cast<std::size_t>(extents[axis]);
  return count;
}

/// The elements of an output that a call covers: its rows; a scalar is one row.
class CoveredElements {
 public:
  explicit CoveredElements(const Extents& output)
      : per_row_(elements_per_row(output)), scalar_(output.empty()) {}
  std::size_t operator()(const runtime::CallArguments& arguments) const {
    return scalar_ ? 1 : static_cast<std::size_t>(arguments.row_count) * per_row_;
  }

 private:
  std::size_t per_row_;
  bool scalar_;
};

template <class T>
const T* input_as(const runtime::CallArguments& arguments, std::size_t i) {
  return reinterpret_cast<const T*>(arguments.inputs[i]);
}
template <class T>
T* output_as(const runtime::CallArguments& arguments) {
  return reinterpret_cast<T*>(arguments.output);
}

}  // namespace graphrun::ops
