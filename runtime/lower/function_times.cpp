#include "runtime/lower/function_times.hpp"

#include <algorithm>
#include <array>

namespace graphrun::runtime {
namespace {

struct FunctionTime {
  std::string_view op;
  double ns;
};

/// Best times of 1,024 numbers with AVX2 on an EPYC of 94 GFLOP/s a core; `bench/kernels` prints some of
/// them.
constexpr std::array functions = {
    FunctionTime{"sqrt", 0.21},    FunctionTime{"exp", 0.77},          FunctionTime{"log", 1.9},
    FunctionTime{"tanh", 0.47},    FunctionTime{"sigmoid", 0.67},      FunctionTime{"softplus", 1.24},
    FunctionTime{"erf", 2.8},      FunctionTime{"gelu", 2.2},          FunctionTime{"silu", 0.73},
    FunctionTime{"elu", 1.4},      FunctionTime{"sin", 2.4},           FunctionTime{"cos", 2.4},
    FunctionTime{"pow", 7.6},      FunctionTime{"random_normal", 2.2}, FunctionTime{"random_uniform", 1.1},
    FunctionTime{"bernoulli", 1.1}};
/// A sum or a choice takes 0.06 to 0.13 there.
constexpr double sum_ns = 0.12;

}  // namespace

double function_ns(std::string_view op, Isa isa) {
  const auto* const found = std::ranges::find(functions, op, &FunctionTime::op);
  if (found == functions.end()) return sum_ns;
  const double vectors = isa == Isa::avx512 ? 0.5 : isa == Isa::avx2 ? 1 : 2;  // that so many numbers take
  return found->ns * vectors;
}

}  // namespace graphrun::runtime
