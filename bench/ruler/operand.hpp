/// \file
/// Memory for benchmarks: what a kernel reads and writes when it is run alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "graph/graph.hpp"
#include "runtime/machine/aligned.hpp"

namespace graphrun::bench {

/// Memory with small numbers in it: zeros and denormals would flatter.
class Operand {
 public:
  explicit Operand(std::size_t bytes, std::size_t seed)
      : memory_(runtime::allocate_aligned(std::max<std::size_t>(bytes, 64))) {
    for (std::size_t i = 0; i < bytes / sizeof(float); ++i)
      floats()[i] = 0.01F * static_cast<float>((i * 7 + seed) % 101 + 1);
  }
  std::byte* data() { return memory_.get(); }
  float* floats() { return reinterpret_cast<float*>(memory_.get()); }

 private:
  runtime::AlignedBytes memory_;
};

/// Of its value, at this batch.
inline std::size_t bytes_of_node(const Node& node, std::int64_t batch) {
  return static_cast<std::size_t>(element_count(bind(node.type.shape, batch))) * bytes_of(node.type.dtype);
}

}  // namespace graphrun::bench
