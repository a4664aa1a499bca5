#include "ops/declaration.hpp"
#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/update/update.hpp"

namespace graphrun::ops {
namespace {

/// With Nesterov's look ahead the step is g + momentum v, else v.
struct Body {
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t scalars = 1;

  template <class T>
  struct Step {
    T rate;
    T decay;
    T momentum;
    T of_gradient;  // the step is of_gradient g + of_velocity v
    T of_velocity;
    [[gnu::always_inline]] void operator()(T& w, T g, T& v) const {
      const T slope = g + decay * w;
      v = momentum * v + slope;
      w -= rate * (of_gradient * slope + of_velocity * v);
    }
  };

  explicit Body(const Attributes& attributes)
      : decay(attributes.number("weight_decay")),
        momentum(attributes.number("momentum")),
        nesterov(attributes.flag("nesterov")) {}

  template <class T>
  Step<T> step(const std::array<double, scalars>& scalar) const {
    return {static_cast<T>(scalar[0]), static_cast<T>(decay), static_cast<T>(momentum),
            static_cast<T>(nesterov ? 1 : 0), static_cast<T>(nesterov ? momentum : 1)};
  }

  double decay;
  double momentum;
  bool nesterov;
};

}  // namespace

Op momentum_update() {
  return update<Body>(
      {.name = "momentum_update",
       .doc = "One step of gradient descent with momentum.",
       .formula = "v <- momentum v + g + weight_decay w, w <- w - lr v",
       .slots = {{"velocity", "the sum of past steps"}},
       .attributes = {
           setting("momentum", share, "how much of the last step is kept"),
           {.name = "nesterov", .kind = AttributeKind::flag, .doc = "look ahead along the momentum"},
           setting("weight_decay", at_least(0), "part of the weight added to its gradient")}});
}

}  // namespace graphrun::ops
