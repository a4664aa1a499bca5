/// \file
/// A gated recurrent unit (Cho et al. 2014), its reset gate behind the recurrent product, as in PyTorch and
/// cuDNN: gates in the order reset, keep, new value.
#pragma once

#include "ops/sequence/recurrence.hpp"

namespace graphrun::ops {

struct GruCell {
  static constexpr std::size_t gates = 3;
  static constexpr std::size_t states = 1;

  template <class Float>
  [[gnu::always_inline]] static void forward(std::size_t n, const Float* p, const Float* q,
                                             const Float* before, Float* after) {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) {
      const Float reset = sigmoid_of(p[j] + q[j]);
      const Float keep = sigmoid_of(p[n + j] + q[n + j]);
      const Float value = tanh_of(p[2 * n + j] + reset * q[2 * n + j]);
      after[j] = (1 - keep) * value + keep * before[j];
    }
  }

  /// By what the gates are given, the new value's recurrent part last, and by the state before but for what
  /// goes through them.
  template <class Float>
  [[gnu::always_inline]] static void backward(std::size_t n, const Float* p, const Float* q,
                                              const Float* before, const Float* g, Float* slope, Float* dq,
                                              Float* left) {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) {
      const Float reset = sigmoid_of(p[j] + q[j]);
      const Float keep = sigmoid_of(p[n + j] + q[n + j]);
      const Float value = tanh_of(p[2 * n + j] + reset * q[2 * n + j]);
      const Float dvalue = g[j] * (1 - keep) * (1 - value * value);
      dq[j] = dvalue * q[2 * n + j] * reset * (1 - reset);
      dq[n + j] = g[j] * (before[j] - value) * keep * (1 - keep);
      dq[2 * n + j] = dvalue * reset;
      slope[2 * n + j] = dvalue;
      left[j] = g[j] * keep;
    }
    for (std::size_t j = 0; j < 2 * n; ++j) slope[j] = dq[j];
    for (std::size_t j = 0; j < n; ++j) slope[3 * n + j] = dq[2 * n + j];
  }
};

}  // namespace graphrun::ops
