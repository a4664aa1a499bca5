/// \file
/// Counts what a test program and the libraries in it allocate, by malloc and by `new`: include it in one
/// source of the program. Sanitizers bring their own allocator: nothing is counted then, and
/// GRAPHRUN_COUNTS_ALLOCATIONS is not defined.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GRAPHRUN_COUNTS_ALLOCATIONS

namespace graphrun::testing {

inline std::atomic<long> allocations = 0;

inline void count_allocation() noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace graphrun::testing

// A program may replace the allocator of glibc by functions with these names, which libraries then use too;
// glibc's own are reached by their second names.
extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

[[gnu::visibility("default")]] void* malloc(std::size_t bytes) noexcept {
  graphrun::testing::count_allocation();
  return __libc_malloc(bytes);
}
[[gnu::visibility("default")]] void* calloc(std::size_t number, std::size_t bytes) noexcept {
  graphrun::testing::count_allocation();
  return __libc_calloc(number, bytes);
}
[[gnu::visibility("default")]] void* realloc(void* memory, std::size_t bytes) noexcept {
  graphrun::testing::count_allocation();
  return __libc_realloc(memory, bytes);
}
[[gnu::visibility("default")]] void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  graphrun::testing::count_allocation();
  return __libc_memalign(alignment, bytes);
}
[[gnu::visibility("default")]] int posix_memalign(void** memory, std::size_t alignment,
                                                  std::size_t bytes) noexcept {
  graphrun::testing::count_allocation();
  void* const got = __libc_memalign(alignment, bytes);
  if (got == nullptr) return ENOMEM;
  *memory = got;
  return 0;
}
}

#endif
