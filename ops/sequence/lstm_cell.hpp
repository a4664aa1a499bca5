/// \file
/// A unit of long short-term memory (Hochreiter & Schmidhuber 1997, with forget gates): gates in the order
/// input, forget, new value, output; states h and c.
#pragma once

#include "ops/sequence/recurrence.hpp"

namespace graphrun::ops {

struct LstmCell {
  static constexpr std::size_t gates = 4;
  static constexpr std::size_t states = 2;

  template <class Float>
  [[gnu::always_inline]] static void forward(std::size_t n, const Float* p, const Float* q,
                                             const Float* before, Float* after) {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) {
      const Float in = sigmoid_of(p[j] + q[j]);
      const Float forget = sigmoid_of(p[n + j] + q[n + j]);
      const Float value = tanh_of(p[2 * n + j] + q[2 * n + j]);
      const Float out = sigmoid_of(p[3 * n + j] + q[3 * n + j]);
      const Float c = forget * before[n + j] + in * value;
      after[n + j] = c;
      after[j] = out * tanh_of(c);
    }
  }

  /// By what the gates are given, and by the state before but for what goes through them.
  template <class Float>
  [[gnu::always_inline]] static void backward(std::size_t n, const Float* p, const Float* q,
                                              const Float* before, const Float* g, Float* slope, Float* dq,
                                              Float* left) {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) {
      const Float in = sigmoid_of(p[j] + q[j]);
      const Float forget = sigmoid_of(p[n + j] + q[n + j]);
      const Float value = tanh_of(p[2 * n + j] + q[2 * n + j]);
      const Float out = sigmoid_of(p[3 * n + j] + q[3 * n + j]);
      const Float seen = tanh_of(forget * before[n + j] + in * value);
      const Float dc = g[n + j] + g[j] * out * (1 - seen * seen);
      dq[j] = dc * value * in * (1 - in);
      dq[n + j] = dc * before[n + j] * forget * (1 - forget);
      dq[2 * n + j] = dc * in * (1 - value * value);
      dq[3 * n + j] = g[j] * seen * out * (1 - out);
      left[j] = 0;
      left[n + j] = dc * forget;
    }
    for (std::size_t j = 0; j < 4 * n; ++j) slope[j] = dq[j];
  }
};

}  // namespace graphrun::ops
