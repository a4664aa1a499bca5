#include <functional>

#include "ops/logic/comparison.hpp"

namespace graphrun::ops {

Op less() {
  return comparison<std::less<>>("less", "less than", "<");
}

}  // namespace graphrun::ops
