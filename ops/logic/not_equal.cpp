#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op not_equal() {
  return comparison<std::not_equal_to<>>("not_equal", "not equal", "!=");
}

}  // namespace graphrun::ops
