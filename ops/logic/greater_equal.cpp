#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op greater_equal() {
  return comparison<std::greater_equal<>>("greater_equal", "at least", ">=");
}

}  // namespace graphrun::ops
