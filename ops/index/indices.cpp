#include "ops/index/indices.hpp"

#include <fmt/format.h>

namespace graphrun::ops {

void require_indices(const Type& type, const std::string& name) {
  if (type.dtype == DType::i32 || type.dtype == DType::u8) return;
  throw OpError(fmt::format("{} must be integers, but is {}", name, to_string(type)),
                "Labels and argmax are integers; others become so by cast(…, dtype=i32).", name);
}

}  // namespace graphrun::ops
