#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op logical_and() {
  return logic<std::logical_and<>>("logical_and", "both operands hold", "and");
}

}  // namespace graphrun::ops
