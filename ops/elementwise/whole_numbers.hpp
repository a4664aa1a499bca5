/// \file
/// Elementwise ops on whole numbers (i32), beside what they are on f32. What does not fit wraps around, as in
/// two's complement: the reference and the kernel keep the low 32 bits of what the body says in 64.
///
/// A body has one static function `of(std::int64_t a, …)`: a number, or true where something holds, which
/// makes the result f32, 1 or 0, as truth values are everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "ops/elementwise/elementwise.hpp"
#include "ops/isa_dispatch.hpp"

namespace graphrun::ops {

/// Operands all f32 or all i32, whose shapes broadcast; the result is of their type.
Type infer_of_either(const InferContext& context);
/// The same, but the result is f32.
Type infer_truth(const InferContext& context);

/// A call of one function of elements of four bytes, on operands that broadcast.
std::unique_ptr<runtime::Call> make_broadcast_call(const runtime::BoundNode& bound,
                                                   runtime::VectorFunction function);

namespace detail {

template <class Result, class... Numbers>
constexpr std::size_t count_numbers(Result (*)(Numbers...)) {
  return sizeof...(Numbers);
}
template <class Body>
inline constexpr std::size_t whole_arity = count_numbers(&Body::of);

template <class Result, class... Numbers>
constexpr bool says_truth(Result (*)(Numbers...)) {
  return std::is_same_v<Result, bool>;
}

/// The low 32 bits.
constexpr std::int32_t wrapped(std::int64_t number) {
  return static_cast<std::int32_t>(number);
}

/// The floats of the arguments are the bits of whole numbers.
template <class Body, std::size_t... I>
[[gnu::always_inline]] inline void whole_loop(const runtime::VectorArguments& a,
                                              std::index_sequence<I...>) noexcept {
  using Whole [[gnu::may_alias]] = std::int32_t;
  const auto inputs = a.inputs;
  float* const output = a.output;
  const std::size_t count = a.count;
#pragma GCC ivdep
  for (std::size_t i = 0; i < count; ++i) {
    const auto result = Body::of(static_cast<std::int64_t>(reinterpret_cast<const Whole*>(inputs[I])[i])...);
    if constexpr (says_truth(&Body::of))
      output[i] = result ? 1.0F : 0.0F;
    else
      reinterpret_cast<Whole*>(output)[i] = wrapped(result);
  }
}

template <class Body>
struct WholeLoop {
  [[gnu::always_inline]] static void run(const runtime::VectorArguments& a) noexcept {
    whole_loop<Body>(a, std::make_index_sequence<whole_arity<Body>>());
  }
};

template <class Body, std::size_t... I>
void whole_reference(const ReferenceContext& context, std::index_sequence<I...>) {
  std::vector<double>& output = context.output.values;
  const std::array index = {BroadcastIndex(context.inputs[I]->extents, context.output.extents)...};
  for (std::size_t i = 0; i < output.size(); ++i)
    output[i] = wrapped(Body::of(static_cast<std::int64_t>(context.inputs[I]->values[index[I](i)])...));
}

}  // namespace detail

template <class Body>
runtime::VectorFunction whole_function(runtime::Isa isa) {
  return IsaLoops<detail::WholeLoop<Body>, runtime::VectorArguments>::select(isa);
}

/// An elementwise op that is `Body` of f32 and `Whole` of i32.
template <class Body, class Whole>
Op elementwise_of_either(ElementwiseSpec spec) {
  Op op = elementwise<Body>(std::move(spec));
  op.definition.infer = detail::says_truth(&Whole::of) ? infer_truth : infer_of_either;
  op.definition.reference = [](const ReferenceContext& context) {
    // What says a truth has the same words for both types: f64 holds every i32.
    if constexpr (!detail::says_truth(&Whole::of))
      if (context.node.type.dtype == DType::i32)
        return detail::whole_reference<Whole>(context,
                                              std::make_index_sequence<detail::whole_arity<Whole>>());
    detail::reference_elementwise<Body>(context);
  };
  op.kernel.make = [](const runtime::BoundNode& bound) {
    return make_broadcast_call(bound, whole_function<Whole>(bound.isa));
  };
  return op;
}

}  // namespace graphrun::ops
