/// \file
/// One loop, compiled for each instruction set, for kernels that are not elementwise. Contraction is off, and
/// a body fixes the order of its additions itself (lanes), so that all sets give the same bits.
#pragma once

#include <array>

#include "runtime/machine/isa.hpp"

namespace graphrun::ops {

/// `Body::run(const Arguments&)` is static, noexcept and [[gnu::always_inline]], and so is all it calls in
/// loops.
template <class Body, class Arguments>
struct IsaLoops {
  using Function = void (*)(const Arguments&) noexcept;

  static Function select(runtime::Isa isa) {
    constexpr std::array<Function, runtime::isa_count> by_isa = {baseline, avx2, avx512};
    return by_isa[static_cast<std::size_t>(isa)];
  }

 private:
  static void baseline(const Arguments& arguments) noexcept { Body::run(arguments); }
  [[gnu::target("avx2,fma")]] static void avx2(const Arguments& arguments) noexcept { Body::run(arguments); }
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")]] static void avx512(
      const Arguments& arguments) noexcept {
    Body::run(arguments);
  }
};

}  // namespace graphrun::ops
