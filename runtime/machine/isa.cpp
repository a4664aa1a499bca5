#include "runtime/machine/isa.hpp"

#include <algorithm>
#include <cstdlib>

namespace graphrun::runtime {
namespace {

Isa supported() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return Isa::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
  return Isa::baseline;
}

Isa allowed() {
  const char* limit = std::getenv("GRAPHRUN_MAX_ISA");
  if (limit == nullptr) return Isa::avx512;
  for (const Isa isa : {Isa::baseline, Isa::avx2}) {
    if (to_string(isa) == limit) return isa;
  }
  return Isa::avx512;
}

}  // namespace

Isa detected_isa() {
  static const Isa isa = std::min(supported(), allowed());
  return isa;
}

bool has_bf16(Isa isa) {
  static const bool there = __builtin_cpu_supports("avx512bf16") != 0;
  return isa == Isa::avx512 && there;
}

std::string_view to_string(Isa isa) {
  constexpr std::array<std::string_view, isa_count> names = {"baseline", "avx2", "avx512"};
  return names.at(static_cast<std::size_t>(isa));
}

}  // namespace graphrun::runtime
