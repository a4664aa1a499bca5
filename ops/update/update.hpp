/// \file
/// What effects share that write variables, and the maker that turns the arithmetic of one weight into an
/// optimizer's update: one pass over memory, vectorised, that also looks for gradients that are not finite.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ops/isa_dispatch.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"
#include "runtime/kernels/kernel.hpp"

namespace graphrun::ops {

/// 1 for NaN and the infinities, else 0; by bits, so that it vectorises and no compiler option changes it.
[[gnu::always_inline]] inline std::uint32_t not_finite_bit(float x) {
  constexpr std::uint32_t exponent = 0x7F800000U;
  return static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(x) & exponent) == exponent);
}

inline void report_non_finite(const runtime::CallArguments& arguments) noexcept {
  if (arguments.non_finite != nullptr) arguments.non_finite->store(true, std::memory_order_relaxed);
}

[[gnu::always_inline]] inline float square_root(float x) {
  return __builtin_sqrtf(x);
}
[[gnu::always_inline]] inline double square_root(double x) {
  return __builtin_sqrt(x);
}

/// Of memories and momenta: what is kept of a value.
inline constexpr Range share = {.low = 0, .high = 1, .below = true};

/// A number that the optimizer is set to. What it is when nobody says so stands in the table of optimizers,
/// language/recipe/optimizer_kind.cpp; who adds an update says all.
AttributeDeclaration setting(std::string name, Range range, std::string doc);

/// In what updates differ, beside their arithmetic. The inputs are the variable, its slots, the gradient (all
/// of one shape), the learning rate and further scalars.
struct UpdateDeclaration {
  std::string name;
  std::string doc;
  std::string formula;
  std::vector<OperandDeclaration> slots = {};
  std::vector<OperandDeclaration> scalars = {};  ///< after the learning rate
  std::vector<AttributeDeclaration> attributes = {};
};

namespace detail {

Op describe_update(UpdateDeclaration declared);

template <class Step, std::size_t slots>
struct UpdateArguments {
  Step step;
  float* variable;
  std::array<float*, slots> slot;
  const float* gradient;
  std::size_t count;
  std::uint32_t* not_finite;
};

template <class Step, std::size_t slots>
struct UpdateLoop {
  [[gnu::always_inline]] static void run(const UpdateArguments<Step, slots>& a) noexcept {
    loop(a, std::make_index_sequence<slots>());
  }

 private:
  template <std::size_t... I>
  [[gnu::always_inline]] static void loop(const UpdateArguments<Step, slots>& a,
                                          std::index_sequence<I...>) noexcept {
    const Step step = a.step;
    float* const variable = a.variable;
    const std::array<float*, slots> slot = a.slot;
    const float* const gradient = a.gradient;
    const std::size_t count = a.count;
    std::uint32_t bad = 0;
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) {
      bad |= not_finite_bit(gradient[i]);
      step(variable[i], gradient[i], slot[I][i]...);
    }
    *a.not_finite = bad;
  }
};

/// Body has: `slots` and `scalars` (with the learning rate); a constructor from Attributes; Step<T>, with
/// operator()(T& variable, T gradient, T& slot…) const; step<T>(scalars) const.
template <class Body, std::size_t... I>
void reference_update(const ReferenceContext& context, std::index_sequence<I...>) {
  std::array<double, Body::scalars> scalars{};
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    scalars[i] = context.inputs[Body::slots + 2 + i]->values[0];
  }
  const auto step = Body(context.node.attributes).template step<double>(scalars);
  const std::vector<double>& gradient = context.inputs[Body::slots + 1]->values;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    step(context.written[0]->values[i], gradient[i], context.written[I + 1]->values[i]...);
  }
}

template <class Body>
void reference_update(const ReferenceContext& context) {
  reference_update<Body>(context, std::make_index_sequence<Body::slots>());
}

template <class Body>
std::unique_ptr<runtime::Call> make_update(const runtime::BoundNode& bound) {
  using Step = typename Body::template Step<float>;
  using Arguments = UpdateArguments<Step, Body::slots>;
  const auto function = IsaLoops<UpdateLoop<Step, Body::slots>, Arguments>::select(bound.isa);
  return runtime::make_call([function, body = Body(bound.node.attributes),
                             covered = CoveredElements(bound.inputs[0])](const runtime::CallArguments& a) {
    std::array<double, Body::scalars> scalars{};
    for (std::size_t i = 0; i < scalars.size(); ++i) scalars[i] = *input_as<float>(a, Body::slots + 2 + i);
    std::uint32_t not_finite = 0;
    Arguments arguments{.step = body.template step<float>(scalars),
                        .variable = reinterpret_cast<float*>(a.written[0]),
                        .slot = {},
                        .gradient = input_as<float>(a, Body::slots + 1),
                        .count = covered(a),
                        .not_finite = &not_finite};
    for (std::size_t i = 0; i < Body::slots; ++i) {
      arguments.slot[i] = reinterpret_cast<float*>(a.written[i + 1]);
    }
    function(arguments);
    if (not_finite != 0) report_non_finite(a);
  });
}

}  // namespace detail

/// An optimizer's update from a Body (see above), whose one formula serves kernel and reference: the tests
/// hold both to trajectories that an independent implementation made.
template <class Body>
Op update(UpdateDeclaration declared) {
  Op op = detail::describe_update(std::move(declared));
  op.definition.reference = detail::reference_update<Body>;
  op.kernel.make = detail::make_update<Body>;
  return op;
}

}  // namespace graphrun::ops
