// Counts the heap allocations of a program and of the libraries in it, by malloc and by `new`. A library of
// its own, which is preloaded where somebody asks: it stands before whatever allocator the program has, and
// hands everything on to that.
#include <dlfcn.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace {

std::atomic<std::uint64_t> allocations{0};

std::atomic<void* (*)(std::size_t)> next_malloc{nullptr};
std::atomic<void* (*)(std::size_t, std::size_t)> next_calloc{nullptr};
std::atomic<void* (*)(void*, std::size_t)> next_realloc{nullptr};
std::atomic<void* (*)(std::size_t, std::size_t)> next_aligned_alloc{nullptr};
std::atomic<int (*)(void**, std::size_t, std::size_t)> next_posix_memalign{nullptr};

/// The function that stands behind the one of this name here.
template <class Function>
Function* found(std::atomic<Function*>& next, const char* name) noexcept {
  if (next.load(std::memory_order_relaxed) == nullptr)
    next.store(reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name)), std::memory_order_relaxed);
  return next.load(std::memory_order_relaxed);
}

template <class Function>
Function* counted(std::atomic<Function*>& next, const char* name) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return found(next, name);
}

/// Before the program begins. A search at the first call may come while dlerror() makes its text, as after a
/// library that TBB does not find: dlsym frees what dlerror() is about to write.
[[gnu::constructor]] void find_all() noexcept {
  found(next_malloc, "malloc");
  found(next_calloc, "calloc");
  found(next_realloc, "realloc");
  found(next_aligned_alloc, "aligned_alloc");
  found(next_posix_memalign, "posix_memalign");
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
#pragma GCC visibility push(default)
extern "C" {

std::uint64_t graphrun_allocation_count() noexcept {
  return allocations.load(std::memory_order_relaxed);
}

void* malloc(std::size_t bytes) noexcept {
  return counted(next_malloc, "malloc")(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) noexcept {
  return counted(next_calloc, "calloc")(number, bytes);
}
void* realloc(void* memory, std::size_t bytes) noexcept {
  return counted(next_realloc, "realloc")(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return counted(next_aligned_alloc, "aligned_alloc")(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  return counted(next_posix_memalign, "posix_memalign")(memory, alignment, bytes);
}
}
#pragma GCC visibility pop
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
