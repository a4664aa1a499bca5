#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/update/update.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static constexpr std::size_t slots = 0;
  static constexpr std::size_t scalars = 1;

  template <class T>
  struct Step {
    T rate;
    T decay;
    [[gnu::always_inline]] void operator()(T& w, T g) const { w -= rate * (g + decay * w); }
  };

  explicit Body(const Attributes& attributes) : decay(attributes.number("weight_decay")) {}

  template <class T>
  Step<T> step(const std::array<double, scalars>& scalar) const {
    return {static_cast<T>(scalar[0]), static_cast<T>(decay)};
  }

  double decay;
};

}  // namespace

Op sgd_update() {
  return update<Body>(
      {.name = "sgd_update",
       .doc = "One step of gradient descent.",
       .formula = "w <- w - lr (g + weight_decay w)",
       .attributes = {setting("weight_decay", at_least(0), "part of the weight added to its gradient")}});
}

}  // namespace graphrun::ops
