#include "cli/allocation_count.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace graphrun::cli {

namespace {

// Counts, and nothing else, so being global does no harm.
std::atomic<std::uint64_t> allocations{0};

}  // namespace

std::uint64_t allocation_count() noexcept {
  return allocations.load(std::memory_order_relaxed);
}

namespace {

void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t asked = bytes == 0 ? 1 : bytes;
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(asked)
                     : std::aligned_alloc(alignment, (asked + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace
}  // namespace graphrun::cli

void* operator new(std::size_t bytes) {
  return graphrun::cli::counted_allocation(bytes, 1);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return graphrun::cli::counted_allocation(bytes, static_cast<std::size_t>(alignment));
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
