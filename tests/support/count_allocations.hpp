/// \file
/// Counts what is allocated by `new` in a test program: include it in one source of the program. Sanitizers
/// bring their own allocator: nothing is counted then, and GRAPHRUN_COUNTS_ALLOCATIONS is not defined.
#pragma once

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GRAPHRUN_COUNTS_ALLOCATIONS

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// GCC inlines the operators below into their callers and then no longer knows that they are a pair.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace graphrun::testing {

inline std::atomic<long> allocations = 0;

inline void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace graphrun::testing

void* operator new(std::size_t bytes) {
  return graphrun::testing::counted_allocation(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return graphrun::testing::counted_allocation(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

#endif
