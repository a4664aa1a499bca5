/// \file
/// Counts the C++ heap allocations of this program, for graphrun bench. What C libraries allocate by malloc
/// (oneDNN's packing buffers) is not seen.
#pragma once

#include <cstdint>

namespace graphrun::cli {

/// Allocations by all threads since the start of the program.
std::uint64_t allocation_count() noexcept;

}  // namespace graphrun::cli
