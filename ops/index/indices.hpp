/// \file
/// What ops share that take indices: i32 or u8, each checked against a count. An index out of range gives NaN
/// and not a crash, so that the run stops at the loss and names the node.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "ops/declaration.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {

inline constexpr float out_of_range = std::numeric_limits<float>::quiet_NaN();

/// Throws an OpError unless the type is an integer one.
void require_indices(const Type& type, const std::string& name);

/// The indices of a call, of either integer type.
class IndexReader {
 public:
  explicit IndexReader(DType dtype) : bytes_(bytes_of(dtype)) {}
  std::int64_t operator()(const std::byte* indices, std::size_t i) const {
    if (bytes_ == 1) return reinterpret_cast<const std::uint8_t*>(indices)[i];
    return reinterpret_cast<const std::int32_t*>(indices)[i];
  }

 private:
  std::size_t bytes_;
};

inline bool in_range(std::int64_t index, std::size_t count) {
  return index >= 0 && static_cast<std::size_t>(index) < count;
}

}  // namespace graphrun::ops
