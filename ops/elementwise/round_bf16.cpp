#include <bit>
#include <cstdint>

#include "ops/elementwise/elementwise.hpp"
#include "ops/isa_dispatch.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

/// Half of the last place is added, less one where the digit before it is even; a NaN keeps its sign and
/// stays one.
[[gnu::always_inline]] inline std::uint32_t rounded_bits(float x) {
  constexpr std::uint32_t infinity = 0x7F800000U;
  constexpr std::uint32_t quiet = 0x00400000U;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = bits + 0x7FFFU + ((bits >> 16U) & 1U);
  return (bits & 0x7FFFFFFFU) > infinity ? bits | quiet : rounded;
}

struct Body {
  static double exact(double x) { return double{apply(nullptr, static_cast<float>(x))}; }
  [[gnu::always_inline]] static float apply(const float*, float x) {
    return std::bit_cast<float>(rounded_bits(x) & 0xFFFF0000U);
  }
};

struct NarrowLoop {
  [[gnu::always_inline]] static void run(const runtime::VectorArguments& a) noexcept {
    const float* const in = a.inputs[0];
    auto* const out = reinterpret_cast<std::uint16_t*>(a.output);
    const std::size_t count = a.count;
#pragma GCC ivdep
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint16_t>(rounded_bits(in[i]) >> 16U);
  }
};

runtime::VectorKernel narrow_kernel() {
  using Loops = IsaLoops<NarrowLoop, runtime::VectorArguments>;
  using enum runtime::Isa;
  return {{Loops::select(baseline), Loops::select(avx2), Loops::select(avx512)}, 1};
}

}  // namespace

Op round_bf16() {
  Op op = elementwise<Body>({.name = "round_bf16",
                             .doc = "The nearest number that bf16 holds, of two equally near ones the even.",
                             .formula = "y = bf16(x)",
                             .gradient = NotDifferentiable{"products are rounded after gradients are made"},
                             .rounds_once = true});
  op.definition.internal = true;
  op.kernel.narrow = narrow_kernel();
  return op;
}

}  // namespace graphrun::ops
