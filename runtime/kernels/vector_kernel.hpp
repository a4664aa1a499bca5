/// \file
/// Elementwise kernels. An op writes its arithmetic once, as a scalar function in a body struct; it is
/// compiled here for each instruction set by inlining it into a plain loop under that target, which the
/// compiler vectorises. Contraction is off and every lane does the same IEEE operations, so an element has
/// the same bits wherever it stands in a row and whichever instruction set runs.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "runtime/machine/isa.hpp"

namespace graphrun::runtime {

inline constexpr std::size_t max_vector_inputs = 4;
inline constexpr std::size_t max_immediates = 4;
using Immediates = std::array<float, max_immediates>;

/// output[i] = f(inputs[0][i], inputs[1][i], …). The output may be one of the inputs; otherwise they do not
/// overlap.
struct VectorArguments {
  std::array<const float*, max_vector_inputs> inputs;
  float* output;
  std::size_t count;
  const float* immediates;
};

using VectorFunction = void (*)(const VectorArguments&) noexcept;

struct VectorKernel {
  std::array<VectorFunction, isa_count> by_isa{};
  int arity = 0;
  VectorFunction function(Isa isa) const { return by_isa[static_cast<std::size_t>(isa)]; }
};

namespace detail {

/// Four vectors side by side: the steps of one function wait for each other, and a processor looks ahead too
/// few of them to find the next vector's by itself. Their results are stored together, at the end, so that
/// the compiler may order the steps of all four as if they were one (it is told to in ops/CMakeLists.txt).
template <class Body, std::size_t lanes, std::size_t... I>
[[gnu::always_inline]] inline void vector_loop(const VectorArguments& a, std::index_sequence<I...>) noexcept {
  using Vector [[gnu::vector_size(lanes * sizeof(float))]] = float;
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Vector;
  constexpr std::size_t together = 4 * lanes;
  const std::size_t count = a.count;
  // A copy: the output could overlap the original, and then no loop that reads it is vectorised.
  Immediates local{};
  if (a.immediates != nullptr) std::copy_n(a.immediates, max_immediates, local.begin());
  const float* const immediates = local.data();
  float* const output = a.output;
  const std::array<const float*, sizeof...(I)> in = {a.inputs[I]...};
  std::size_t i = 0;
  for (; i + together <= count; i += together) {
    alignas(Vector) std::array<float, together> results{};
#pragma GCC ivdep
    for (std::size_t k = 0; k < together; ++k) results[k] = Body::apply(immediates, in[I][i + k]...);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < together; k += lanes) {
      reinterpret_cast<Unaligned*>(output + i + k)[0] = reinterpret_cast<const Unaligned*>(&results[k])[0];
    }
  }
#pragma GCC ivdep
  for (; i < count; ++i) output[i] = Body::apply(immediates, in[I][i]...);
}

template <class Body, std::size_t arity>
struct VectorLoops {
  static void baseline(const VectorArguments& a) noexcept {
    vector_loop<Body, 4>(a, std::make_index_sequence<arity>());
  }
  [[gnu::target("avx2,fma")]] static void avx2(const VectorArguments& a) noexcept {
    vector_loop<Body, 8>(a, std::make_index_sequence<arity>());
  }
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")]] static void avx512(
      const VectorArguments& a) noexcept {
    vector_loop<Body, 16>(a, std::make_index_sequence<arity>());
  }
};

}  // namespace detail

/// `Body` has `[[gnu::always_inline]] static float apply(const float* immediates, float x, …)` with `arity`
/// floats: straight-line code with selects, no calls, no early return, so that it vectorises.
template <class Body, std::size_t arity>
constexpr VectorKernel vector_kernel() {
  using Loops = detail::VectorLoops<Body, arity>;
  return {{Loops::baseline, Loops::avx2, Loops::avx512}, static_cast<int>(arity)};
}

}  // namespace graphrun::runtime
