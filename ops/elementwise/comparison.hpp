/// \file
/// What comparisons share: 1 where they hold, else 0, in the type of their operands.
#pragma once

#include <string>

#include "ops/elementwise/elementwise.hpp"

namespace graphrun::ops {

/// `Holds` is a function object of the standard library, such as std::less<>.
template <class Holds>
struct ComparisonBody {
  static double exact(double a, double b) { return Holds()(a, b) ? 1 : 0; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) {
    return Holds()(a, b) ? 1.0F : 0.0F;
  }
};

/// "Where a is WORDS b", "a SIGN b".
template <class Holds>
Op comparison(const std::string& name, const std::string& words, const std::string& sign) {
  return elementwise<ComparisonBody<Holds>>(
      {.name = name,
       .doc = "Where a is " + words + " b: 1, else 0. Its gradient is zero.",
       .formula = "y = 1 if a " + sign + " b else 0",
       .inputs = two_operands(),
       .gradient = ZeroGradient{},
       .rounds_once = true});
}

}  // namespace graphrun::ops
