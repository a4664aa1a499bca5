#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op equal() {
  return comparison<std::equal_to<>>("equal", "equal", "==");
}

}  // namespace graphrun::ops
