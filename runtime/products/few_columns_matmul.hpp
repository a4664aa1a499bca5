/// \file
/// Products of fewer columns than a vector has lanes, for AVX2 and AVX-512, such as those around a code of
/// two units. They run as their transposes, (b^T a^T)^T: the many rows lie along the vectors, where a tile of
/// a few columns would multiply by padding. The bits are those of tiled_matmul.hpp: one chain of fused
/// multiply-adds for each element, started from the bias.
#pragma once

#include <memory>

#include "runtime/machine/isa.hpp"
#include "runtime/products/matmul.hpp"

namespace graphrun::runtime {

/// Few columns, rows for a vector at least, and an `a` that is stored transposed or is cheap to transpose
/// beside what the padding would cost.
bool has_few_columns(const MatmulSpec& spec, Isa isa);

/// The spec must have few columns.
std::unique_ptr<Matmul> make_few_columns_matmul(const MatmulSpec& spec, Isa isa);

}  // namespace graphrun::runtime
