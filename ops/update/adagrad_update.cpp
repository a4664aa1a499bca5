#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/update/update.hpp"

namespace graphrun::ops {
namespace {

/// J. Duchi, E. Hazan and Y. Singer, 2011.
struct Body {
  static constexpr std::size_t slots = 1;
  static constexpr std::size_t scalars = 1;

  template <class T>
  struct Step {
    T rate;
    T decay;
    T eps;
    [[gnu::always_inline]] void operator()(T& w, T g, T& sum) const {
      const T slope = g + decay * w;
      sum += slope * slope;
      w -= rate * slope / (square_root(sum) + eps);
    }
  };

  explicit Body(const Attributes& attributes)
      : decay(attributes.number("weight_decay")), eps(attributes.number("eps")) {}

  template <class T>
  Step<T> step(const std::array<double, scalars>& scalar) const {
    return {static_cast<T>(scalar[0]), static_cast<T>(decay), static_cast<T>(eps)};
  }

  double decay;
  double eps;
};

}  // namespace

Op adagrad_update() {
  return update<Body>(
      {.name = "adagrad_update",
       .doc = "One step of Adagrad.",
       .formula = "s <- s + g^2, w <- w - lr g / (sqrt(s) + eps)",
       .slots = {{"sum", "sum of the gradient's squares"}},
       .attributes = {setting("eps", at_least(0), "keeps the division finite"),
                      setting("weight_decay", at_least(0), "part of the weight added to its gradient")}});
}

}  // namespace graphrun::ops
