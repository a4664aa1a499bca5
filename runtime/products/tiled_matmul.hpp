/// \file
/// Matrix products in register tiles, for AVX2 and AVX-512. Every element is one chain of fused multiply-adds
/// over the inner index in ascending order, started from the bias (or zero): its bits depend on its row of
/// `a` and its column of `b` alone, not on how the product is cut into rows, on the tile it lies in, or on
/// the instruction set. That freedom is what fused updates, slices and prefetching are built on.
#pragma once

#include <memory>

#include "runtime/machine/isa.hpp"
#include "runtime/products/matmul.hpp"

namespace graphrun::runtime {

/// Whether this instruction set has tiles: it needs fused multiply-add.
bool has_tiles(Isa isa);

/// `isa` must have tiles.
std::unique_ptr<Matmul> make_tiled_matmul(const MatmulSpec& spec, Isa isa);

}  // namespace graphrun::runtime
