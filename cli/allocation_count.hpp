/// \file
/// Counts the heap allocations of this program and of the libraries in it, by malloc and by `new`, for
/// graphrun bench. Always 0 where a sanitizer brings its own allocator.
#pragma once

#include <cstdint>

namespace graphrun::cli {

/// Allocations by all threads since the start of the program.
std::uint64_t allocation_count() noexcept;

}  // namespace graphrun::cli
