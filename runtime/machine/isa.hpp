/// \file
/// The instruction sets that own kernels are compiled for, and which one this machine has.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace graphrun::runtime {

enum class Isa { baseline, avx2, avx512 };
inline constexpr std::size_t isa_count = 3;

/// The best one of this machine, read once from the CPU. `GRAPHRUN_MAX_ISA=baseline|avx2` lowers it (tests).
Isa detected_isa();

/// Whether this machine multiplies bf16 (AVX512_BF16, or AMX), and may as `isa` says.
bool has_bf16(Isa isa = detected_isa());
std::string_view to_string(Isa isa);

}  // namespace graphrun::runtime
