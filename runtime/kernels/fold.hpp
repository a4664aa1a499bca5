/// \file
/// Reductions inside elementwise groups: an element is made from one or more inputs and folded into sixteen
/// lanes side by side, which are combined in a tree at the end. The order depends on the count alone.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#include "runtime/kernels/vector_kernel.hpp"
#include "runtime/machine/isa.hpp"

namespace graphrun::runtime {

/// How a reduction combines: its lowering sums or takes maxima in a fixed order.
enum class ReductionKind { sum, max };

inline constexpr std::size_t fold_lanes = 16;

struct Fold {
  std::array<float, fold_lanes> partial;
};

using FoldInputs = std::array<const float*, max_vector_inputs>;
using FoldFunction = void (*)(Fold&, const FoldInputs&, std::size_t count) noexcept;

/// Folds f(inputs[0][i], inputs[1][i], …) for each i.
struct FoldKernel {
  std::array<FoldFunction, isa_count> by_isa{};
  int arity = 0;
  FoldFunction function(Isa isa) const { return by_isa[static_cast<std::size_t>(isa)]; }
};

[[gnu::always_inline]] inline float fold_combine(float a, float b, bool maximum) {
  if (!maximum) return a + b;
  return ((a > b) | (a != a)) ? a : b;  // NaN wins
}

namespace detail {

template <class Body, bool maximum, std::size_t... I>
[[gnu::always_inline]] inline void fold_loop(Fold& fold, const FoldInputs& in, std::size_t count,
                                             std::index_sequence<I...>) noexcept {
  Fold local = fold;
  const std::array<const float*, sizeof...(I)> from = {in[I]...};
  std::size_t i = 0;
  for (; i + fold_lanes <= count; i += fold_lanes) {
    for (std::size_t lane = 0; lane < fold_lanes; ++lane) {
      local.partial[lane] =
          fold_combine(local.partial[lane], Body::apply(nullptr, from[I][i + lane]...), maximum);
    }
  }
  for (std::size_t lane = 0; i + lane < count; ++lane) {
    local.partial[lane] =
        fold_combine(local.partial[lane], Body::apply(nullptr, from[I][i + lane]...), maximum);
  }
  fold = local;
}

template <class Body, std::size_t arity, bool maximum>
struct FoldLoops {
  static void baseline(Fold& fold, const FoldInputs& in, std::size_t count) noexcept {
    fold_loop<Body, maximum>(fold, in, count, std::make_index_sequence<arity>());
  }
  [[gnu::target("avx2")]] static void avx2(Fold& fold, const FoldInputs& in, std::size_t count) noexcept {
    fold_loop<Body, maximum>(fold, in, count, std::make_index_sequence<arity>());
  }
  [[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] static void avx512(
      Fold& fold, const FoldInputs& in, std::size_t count) noexcept {
    fold_loop<Body, maximum>(fold, in, count, std::make_index_sequence<arity>());
  }
};

}  // namespace detail

/// `Body` as for vector_kernel: what is made of the inputs before it is folded.
template <class Body, std::size_t arity, ReductionKind kind>
constexpr FoldKernel fold_kernel() {
  using Loops = detail::FoldLoops<Body, arity, kind == ReductionKind::max>;
  return {{Loops::baseline, Loops::avx2, Loops::avx512}, static_cast<int>(arity)};
}

}  // namespace graphrun::runtime
