/// \file
/// Products of many matrices with many: which of an operand's matrices meet, and their kernel. Where the
/// right operand is one matrix, lowering makes one product of all rows instead.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "graph/type.hpp"
#include "runtime/kernels/kernel.hpp"

namespace graphrun::ops {

/// Where the matrices of one product begin, in elements.
struct MatrixPlaces {
  std::size_t a = 0;
  std::size_t b = 0;
  std::size_t y = 0;
};

/// Of all products, in the order of y. Operands are broadcast over the axes before the last two of y.
std::vector<MatrixPlaces> matrix_places(const Extents& a, const Extents& b, const Extents& y);

/// The kernel of a matmul of more than two axes: one product after the other as the provider makes it.
std::unique_ptr<runtime::Call> make_matrix_products(const runtime::BoundNode& bound);

}  // namespace graphrun::ops
