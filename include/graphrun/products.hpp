/// \file
/// How matrix products are computed: by whom, and from what.
#pragma once

#include <cstdint>

namespace graphrun {

/// Who runs matrix products. Each gives the same bits at any number of threads; they differ from each other
/// in the last bits.
enum class Provider {
  automatic,  ///< for each product whom a table of instruction sets and sizes names
  onednn,     ///< oneDNN, also single activations and their gradients
  tiles       ///< our own, where the CPU has fused multiply-adds; oneDNN for the rest
};

/// What products and convolutions read: their operands as they are, or each rounded to bf16, the upper half
/// of an f32. Sums, and everything else, are f32.
enum class Precision : std::uint8_t {
  f32,
  bf16,          ///< by instructions of the CPU for it: Error{usage} where it has none
  bf16_emulated  ///< the same operands, in products of f32: on every CPU, slowly
};

}  // namespace graphrun
