#include "runtime/aligned.hpp"

#include <sys/mman.h>

namespace graphrun::runtime {

AlignedBytes allocate_aligned(std::size_t bytes) {
  const std::size_t alignment = bytes < huge_page ? tensor_alignment : huge_page;
  const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
  auto* const memory = static_cast<std::byte*>(::operator new (size, std::align_val_t{alignment}));
  // Only advice: where it is not taken, all works as before.
  if (alignment == huge_page) ::madvise(memory, size, MADV_HUGEPAGE);
  return {memory, AlignedDelete{alignment}};
}

}  // namespace graphrun::runtime
