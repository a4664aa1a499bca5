#include "runtime/machine/aligned.hpp"

#include <sys/mman.h>

namespace graphrun::runtime {

AlignedBytes allocate_aligned(std::size_t bytes, Pages pages) {
  const std::size_t alignment = bytes < huge_page ? tensor_alignment : huge_page;
  const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
  auto* const memory = static_cast<std::byte*>(::operator new (size, std::align_val_t{alignment}));
  // Only advice: where it is not taken, all works as before.
  if (alignment == huge_page) {
    ::madvise(memory, size, pages == Pages::large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  }
  return {memory, AlignedDelete{alignment}};
}

void ask_for_huge_pages(void* memory, std::size_t bytes) noexcept {
  void* begin = memory;
  std::size_t left = bytes;
  if (std::align(huge_page, huge_page, begin, left) == nullptr) return;
  ::madvise(begin, left / huge_page * huge_page, MADV_HUGEPAGE);
}

void give_back(std::byte* memory, std::size_t bytes) noexcept {
  constexpr std::size_t page = 4096;
  void* begin = memory;
  std::size_t left = bytes;
  if (std::align(page, page, begin, left) != nullptr) ::madvise(begin, left / page * page, MADV_DONTNEED);
}

}  // namespace graphrun::runtime
