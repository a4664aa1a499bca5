/// \file
/// SHA-256 by the instructions that some processors have for it: five times as fast.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace graphrun::files {

/// Whether this processor has them.
bool has_sha_instructions() noexcept;

/// The 64 constants of the rounds (FIPS 180-4, 4.2.2).
extern const std::array<std::uint32_t, 64> sha256_constants;

/// Mixes blocks of 64 bytes into the state, which is a to h in order. Only where the instructions are.
void mix_by_instructions(std::array<std::uint32_t, 8>& state, const std::uint8_t* blocks,
                         std::size_t count) noexcept;

}  // namespace graphrun::files
