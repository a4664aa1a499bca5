/// \file
/// The arithmetic of Adam (D. Kingma and J. Ba, 2014), shared with AdamW (I. Loshchilov and F. Hutter, 2017).
#pragma once

#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/update/update.hpp"

namespace graphrun::ops {

/// w ← w − lr (m / c1) / (sqrt(v / c2) + eps), with the corrections c = 1 − beta^t as scalar inputs. The
/// scale sqrt(c2) is taken out of the root: one division an element.
template <bool decoupled>
struct AdamBody {
  static constexpr std::size_t slots = 2;
  static constexpr std::size_t scalars = 3;

  template <class T>
  struct Step {
    T rate;   // lr sqrt(c2) / c1
    T eps;    // eps sqrt(c2)
    T decay;  // of the gradient: added; decoupled: what is left of the weight
    T new1;   // 1 - beta1
    T beta2;
    T new2;  // 1 - beta2
    [[gnu::always_inline]] void operator()(T& w, T g, T& m, T& v) const {
      const T start = decoupled ? w * decay : w;
      const T slope = decoupled ? g : g + decay * w;
      m += (slope - m) * new1;
      v = v * beta2 + new2 * slope * slope;
      w = start - rate * m / (square_root(v) + eps);
    }
  };

  explicit AdamBody(const Attributes& attributes)
      : beta1(attributes.number("beta1")),
        beta2(attributes.number("beta2")),
        eps(attributes.number("eps")),
        decay(attributes.number("weight_decay")) {}

  template <class T>
  Step<T> step(const std::array<double, scalars>& scalar) const {
    const auto [rate, correction1, correction2] = scalar;
    const double scale = std::sqrt(correction2);
    return {static_cast<T>(rate * scale / correction1),
            static_cast<T>(eps * scale),
            static_cast<T>(decoupled ? 1 - rate * decay : decay),
            static_cast<T>(1 - beta1),
            static_cast<T>(beta2),
            static_cast<T>(1 - beta2)};
  }

  double beta1;
  double beta2;
  double eps;
  double decay;
};

inline UpdateDeclaration adam_declaration(std::string name, std::string doc, std::string formula) {
  return {.name = std::move(name),
          .doc = std::move(doc),
          .formula = std::move(formula),
          .slots = {{"m", "running mean of the gradient"}, {"v", "running mean of its square"}},
          .scalars = {{"correction1", "1 - beta1^t"}, {"correction2", "1 - beta2^t"}},
          .attributes = {setting("beta1", share, "memory of the gradient's mean"),
                         setting("beta2", share, "memory of the gradient's square"),
                         setting("eps", at_least(0), "keeps the division finite"),
                         setting("weight_decay", at_least(0), "part of the weight that decays")}};
}

}  // namespace graphrun::ops
