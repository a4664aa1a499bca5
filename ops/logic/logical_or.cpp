#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op logical_or() {
  return logic<std::logical_or<>>("logical_or", "an operand holds", "or");
}

}  // namespace graphrun::ops
