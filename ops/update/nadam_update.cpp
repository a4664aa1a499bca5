#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/update/update.hpp"

namespace graphrun::ops {
namespace {

/// Adam that looks ahead along its momentum (T. Dozat, 2016). How much of a step is the gradient's own and
/// how much its mean's follows from a schedule of beta1, and comes in as scalars.
struct Body {
  static constexpr std::size_t slots = 2;
  static constexpr std::size_t scalars = 4;

  /// The scale sqrt(c2) is taken out of the root, as in Adam.
  template <class T>
  struct Step {
    T gradient_rate;  // lr gradient_share sqrt(c2)
    T mean_rate;      // lr mean_share sqrt(c2)
    T eps;            // eps sqrt(c2)
    T decay;
    T new1;  // 1 - beta1
    T beta2;
    T new2;  // 1 - beta2
    [[gnu::always_inline]] void operator()(T& w, T g, T& m, T& v) const {
      const T slope = g + decay * w;
      m += (slope - m) * new1;
      v = v * beta2 + new2 * slope * slope;
      w -= (gradient_rate * slope + mean_rate * m) / (square_root(v) + eps);
    }
  };

  explicit Body(const Attributes& attributes)
      : beta1(attributes.number("beta1")),
        beta2(attributes.number("beta2")),
        eps(attributes.number("eps")),
        decay(attributes.number("weight_decay")) {}

  template <class T>
  Step<T> step(const std::array<double, scalars>& scalar) const {
    const auto [rate, correction2, gradient_share, mean_share] = scalar;
    const double scale = std::sqrt(correction2);
    return {static_cast<T>(rate * gradient_share * scale),
            static_cast<T>(rate * mean_share * scale),
            static_cast<T>(eps * scale),
            static_cast<T>(decay),
            static_cast<T>(1 - beta1),
            static_cast<T>(beta2),
            static_cast<T>(1 - beta2)};
  }

  double beta1;
  double beta2;
  double eps;
  double decay;
};

}  // namespace

Op nadam_update() {
  return update<Body>(
      {.name = "nadam_update",
       .doc = "One step of Nadam: Adam that looks ahead along its momentum.",
       .formula = "m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2, "
                  "w <- w - lr (gradient_share g + mean_share m) / "
                  "(sqrt(v / correction2) + eps)",
       .slots = {{"m", "running mean of the gradient"}, {"v", "running mean of its square"}},
       .scalars = {{"correction2", "1 - beta2^t"},
                   {"gradient_share", "(1 - mu_t) / (1 - mu_1 ... mu_t)"},
                   {"mean_share", "mu_t+1 / (1 - mu_1 ... mu_t+1)"}},
       .attributes = {setting("beta1", share, "memory of the gradient's mean"),
                      setting("beta2", share, "memory of the gradient's square"),
                      setting("eps", at_least(0), "keeps the division finite"),
                      setting("weight_decay", at_least(0), "part of the weight added to its gradient")}});
}

}  // namespace graphrun::ops
