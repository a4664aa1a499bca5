/// \file
/// The table by which `--provider auto` says who makes a product. Measured once, the same on every machine of
/// an instruction set: a choice that followed the machine would change bits.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/machine/isa.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::runtime {

/// How large a product is, and what its time depends on: reading weights, padding, starting, computing.
enum class ProductSize : std::uint8_t { few_rows, few_columns, small, large };

ProductSize size_of(const MatmulSpec& spec);
std::string_view to_string(ProductSize size);

/// onednn or tiles.
ProviderChoice choose_product(ProductSize size, Isa isa);

}  // namespace graphrun::runtime
