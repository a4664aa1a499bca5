/// \file
/// Products of one to three rows, for AVX2 and AVX-512: what a caller with one example asks for. Every weight
/// is used once or thrice, so the time is that of reading them and of the chains of sums; panels of eight
/// vectors have enough chains, and read enough memory in a row, where a tile's two have neither. The bits are
/// those of tiled_matmul.hpp: one chain of fused multiply-adds for each element.
#pragma once

#include <memory>

#include "runtime/machine/isa.hpp"
#include "runtime/products/matmul.hpp"

namespace graphrun::runtime {

/// Few rows, both operands as they lie, and columns for a vector at least.
bool has_few_rows(const MatmulSpec& spec, Isa isa);

/// The spec must have few rows.
std::unique_ptr<Matmul> make_few_rows_matmul(const MatmulSpec& spec, Isa isa);

}  // namespace graphrun::runtime
