#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op less_equal() {
  return comparison<std::less_equal<>>("less_equal", "at most", "<=");
}

}  // namespace graphrun::ops
