#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op greater() {
  return comparison<std::greater<>>("greater", "greater than", ">");
}

}  // namespace graphrun::ops
