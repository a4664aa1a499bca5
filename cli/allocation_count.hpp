/// \file
/// Heap allocations of this process, for graphrun bench. The command itself leaves the allocator alone; what
/// counts is a small library in front of it, which only a process that begins with it has.
#pragma once

#include <cstdint>

namespace graphrun::cli {

/// Null where nothing is counted.
using AllocationCount = std::uint64_t (*)() noexcept;
AllocationCount allocation_count() noexcept;

/// Begins this program again, with the library that counts. Returns where that is not possible, or has been
/// done: the library is missing, or cannot be named in LD_PRELOAD. Nothing may have been printed or read yet.
void begin_again_with_allocation_count();

}  // namespace graphrun::cli
