/// \file
/// One loop, compiled for each instruction set, for kernels that are not elementwise. Contraction is off, and
/// a body fixes the order of its additions itself (lanes), so that all sets give the same bits.
#pragma once

#include <array>
#include <cstddef>

#include "runtime/machine/isa.hpp"

namespace graphrun::ops {

/// `Body::run(const Arguments&)` is static, noexcept and [[gnu::always_inline]], and so is all it calls in
/// loops. A body that handles vectors itself is `Body::run<lanes>`: so many floats are in a vector of the
/// set.
template <class Body, class Arguments>
struct IsaLoops {
  using Function = void (*)(const Arguments&) noexcept;

  static Function select(runtime::Isa isa) {
    constexpr std::array<Function, runtime::isa_count> by_isa = {baseline, avx2, avx512};
    return by_isa[static_cast<std::size_t>(isa)];
  }

 private:
  template <std::size_t lanes>
  [[gnu::always_inline]] static void run(const Arguments& arguments) noexcept {
    if constexpr (requires { Body::template run<lanes>(arguments); })
      Body::template run<lanes>(arguments);
    else
      Body::run(arguments);
  }

  static void baseline(const Arguments& arguments) noexcept { run<4>(arguments); }
  [[gnu::target("avx2,fma")]] static void avx2(const Arguments& arguments) noexcept { run<8>(arguments); }
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")]] static void avx512(
      const Arguments& arguments) noexcept {
    run<16>(arguments);
  }
};

}  // namespace graphrun::ops
