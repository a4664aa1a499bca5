/// \file
/// Memory at 64-byte boundaries: what tensors lie in.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace graphrun::runtime {

inline constexpr std::size_t tensor_alignment = 64;

constexpr std::size_t aligned_size(std::size_t bytes) {
  return (bytes + tensor_alignment - 1) / tensor_alignment * tensor_alignment;
}

struct AlignedDelete {
  void operator()(std::byte* memory) const noexcept {
    ::operator delete (memory, std::align_val_t{tensor_alignment});
  }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

/// Uninitialised; throws std::bad_alloc.
inline AlignedBytes allocate_aligned(std::size_t bytes) {
  return AlignedBytes(
      static_cast<std::byte*>(::operator new (aligned_size(bytes), std::align_val_t{tensor_alignment})));
}

}  // namespace graphrun::runtime
