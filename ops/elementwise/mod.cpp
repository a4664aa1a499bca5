#include <cmath>

#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double a, double b) { return a - b * std::floor(a / b); }
  /// In f64, where the quotient of two f32 is on the right side of every whole number up to 2^24.
  [[gnu::always_inline]] static float apply(const float*, float a, float b) {
    const auto x = static_cast<double>(a);
    const auto y = static_cast<double>(b);
    return static_cast<float>(x - y * __builtin_floor(x / y));
  }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t a, std::int64_t b) {
    if (b == 0) return 0;
    const std::int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  return wanted_gradients(
      context, [&] { return t.g; }, [&] { return t.g * ((t.y - t.x(0)) / t.x(1)); });
}

}  // namespace

Op mod() {
  return elementwise_of_either<Body, Whole>(
      {.name = "mod",
       .doc = "What is left of a after b is taken from it a whole number of times, with b's sign; of whole "
              "numbers 0 by 0.",
       .formula = "y = a - b * floor(a / b)",
       .inputs = two_operands(),
       .gradient = vjp,
       .rounds_once = true});
}

}  // namespace graphrun::ops
