/// \file
/// What comparisons and logic share: f32 results, 1 where they hold, else 0, of operands f32 or i32.
#pragma once

#include <string>

#include "ops/elementwise/whole_numbers.hpp"

namespace graphrun::ops {

/// `Holds` is a function object of the standard library, such as std::less<>.
template <class Holds>
struct ComparisonBody {
  static double exact(double a, double b) { return Holds()(a, b) ? 1 : 0; }
  [[gnu::always_inline]] static float apply(const float*, float a, float b) {
    return Holds()(a, b) ? 1.0F : 0.0F;
  }
};
template <class Holds>
struct WholeComparison {
  [[gnu::always_inline]] static bool of(std::int64_t a, std::int64_t b) { return Holds()(a, b); }
};

/// "Where a is WORDS b", "a SIGN b".
template <class Holds>
Op comparison(const std::string& name, const std::string& words, const std::string& sign) {
  return elementwise_of_either<ComparisonBody<Holds>, WholeComparison<Holds>>(
      {.name = name,
       .doc = "Where a is " + words + " b: 1, else 0. Its gradient is zero.",
       .formula = "y = 1 if a " + sign + " b else 0",
       .inputs = two_operands(),
       .gradient = ZeroGradient{},
       .rounds_once = true});
}

/// A truth from truths: an operand holds where it is not 0.
template <class Holds>
struct TruthComparison {
  template <class Number>
  [[gnu::always_inline]] bool operator()(Number a, Number b) const {
    return Holds()(a != 0, b != 0);
  }
};

/// "Where WORDS", "a WORD b".
template <class Holds>
Op logic(const std::string& name, const std::string& words, const std::string& word) {
  using Both = TruthComparison<Holds>;
  return elementwise_of_either<ComparisonBody<Both>, WholeComparison<Both>>(
      {.name = name,
       .doc = "Where " + words + ": 1, else 0; an operand holds where it is not 0. Its gradient is zero.",
       .formula = "y = 1 if a != 0 " + word + " b != 0 else 0",
       .inputs = two_operands(),
       .gradient = ZeroGradient{},
       .rounds_once = true});
}

}  // namespace graphrun::ops
