/// \file
/// Memory at 64-byte boundaries: what tensors lie in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace graphrun::runtime {

inline constexpr std::size_t tensor_alignment = 64;

constexpr std::size_t aligned_size(std::size_t bytes) {
  return (bytes + tensor_alignment - 1) / tensor_alignment * tensor_alignment;
}

struct AlignedDelete {
  std::size_t alignment = tensor_alignment;
  void operator()(std::byte* memory) const noexcept {
    ::operator delete (memory, std::align_val_t{alignment});
  }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

/// Which pages the system is asked for; small ones only to measure what large ones bring.
enum class Pages : std::uint8_t { large, small };

/// Uninitialised; throws std::bad_alloc. What is as large as a huge page lies at its boundary, and the system
/// is asked to back it by such pages: matrices are read with strides that touch another small page in every
/// row, and where small pages lie decides which parts of a matrix push each other out of the caches.
AlignedBytes allocate_aligned(std::size_t bytes, Pages pages = Pages::large);

/// The same advice for memory from elsewhere: of what is large enough, the pages that lie in it as a whole.
/// It pays before the memory is first written.
void ask_for_huge_pages(void* memory, std::size_t bytes) noexcept;

/// Gives the pages that lie in it as a whole back to the system. It may be used on; what it held is lost.
void give_back(std::byte* memory, std::size_t bytes) noexcept;

/// Of the pages that the system is asked for.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace graphrun::runtime
