#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op logical_xor() {
  return logic<std::not_equal_to<>>("logical_xor", "one operand holds and the other does not", "xor");
}

}  // namespace graphrun::ops
