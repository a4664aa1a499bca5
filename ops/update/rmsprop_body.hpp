/// \file
/// The arithmetic of RMSprop (T. Hinton's lectures, 2012), with and without momentum.
#pragma once

#include "ops/elementwise/elementwise.hpp"
#include "ops/update/update.hpp"

namespace graphrun::ops {

template <class T>
struct RmspropStep {
  T rate;
  T decay;
  T alpha;
  T fresh;  // 1 - alpha
  T eps;
  T momentum;

  /// The gradient over the root of its mean square.
  [[gnu::always_inline]] T scaled(T w, T g, T& v) const {
    const T slope = g + decay * w;
    v = alpha * v + fresh * slope * slope;
    return slope / (square_root(v) + eps);
  }
  [[gnu::always_inline]] void operator()(T& w, T g, T& v) const { w -= rate * scaled(w, g, v); }
  [[gnu::always_inline]] void operator()(T& w, T g, T& v, T& velocity) const {
    velocity = momentum * velocity + scaled(w, g, v);
    w -= rate * velocity;
  }
};

template <std::size_t slot_count>
struct RmspropBody {
  static constexpr std::size_t slots = slot_count;
  static constexpr std::size_t scalars = 1;
  template <class T>
  using Step = RmspropStep<T>;

  explicit RmspropBody(const Attributes& attributes)
      : alpha(attributes.number("alpha")),
        eps(attributes.number("eps")),
        decay(attributes.number("weight_decay")),
        momentum(slots == 2 ? attributes.number("momentum") : 0) {}

  template <class T>
  Step<T> step(const std::array<double, scalars>& scalar) const {
    return {static_cast<T>(scalar[0]), static_cast<T>(decay), static_cast<T>(alpha),
            static_cast<T>(1 - alpha), static_cast<T>(eps),   static_cast<T>(momentum)};
  }

  double alpha;
  double eps;
  double decay;
  double momentum;
};

inline UpdateDeclaration rmsprop_declaration() {
  return {.name = "rmsprop_update",
          .doc = "One step of RMSprop.",
          .formula = "v <- alpha v + (1 - alpha) g^2, w <- w - lr g / (sqrt(v) + eps)",
          .slots = {{"v", "running mean of the gradient's square"}},
          .attributes = {setting("alpha", share, "memory of the gradient's square"),
                         setting("eps", at_least(0), "keeps the division finite"),
                         setting("weight_decay", at_least(0), "part of the weight added to its gradient")}};
}

}  // namespace graphrun::ops
