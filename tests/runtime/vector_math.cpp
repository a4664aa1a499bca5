// Sweeps over the whole range of f32: every function within 4 ulp of its f64 value, specials exact, and the
// same bits on every instruction set.
#include "runtime/kernels/vector_math.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "runtime/kernels/vector_kernel.hpp"
#include "runtime/kernels/vector_sine.hpp"
#include "runtime/machine/isa.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::runtime;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// |got - exact| in units of the last place that f32 has at `exact`; NaN agrees with NaN only.
double ulps(float got, double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) == std::isnan(got) ? 0 : infinity;
  if (std::isinf(rounded) || std::isinf(got)) {
    // The largest number and infinity are one step apart.
    const bool close = std::isinf(rounded) && std::abs(got) >= std::numeric_limits<float>::max() * 0.9999998F;
    return rounded == got || close ? 0 : infinity;
  }
  const double magnitude = std::max(std::abs(exact), static_cast<double>(std::numeric_limits<float>::min()));
  const double ulp = std::ldexp(1.0, std::ilogb(magnitude) - 23);
  return std::abs(static_cast<double>(got) - exact) / ulp;
}

/// Every 3989th bit pattern, and every one near the specials.
std::vector<float> sweep() {
  std::vector<float> values = {0.0F, -0.0F, 1.0F, -1.0F, infinity, -infinity, not_a_number, -not_a_number};
  for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFU; bits += 3989) {
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  for (int i = -40000; i <= 40000; ++i) values.push_back(static_cast<float>(i) * 0.003F);
  return values;
}

std::vector<float> run(const VectorKernel& kernel, Isa isa, const std::vector<std::vector<float>>& inputs) {
  std::vector<float> output(inputs[0].size());
  const Immediates immediates = {1.0F};
  VectorArguments arguments{{}, output.data(), output.size(), immediates.data()};
  for (std::size_t i = 0; i < inputs.size(); ++i) arguments.inputs[i] = inputs[i].data();
  kernel.function(isa)(arguments);
  return output;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = std::isnan(a[i]) && std::isnan(b[i]);  // whose sign and payload nobody promises
    if (!both_nan && std::memcmp(&a[i], &b[i], sizeof(float)) != 0) return false;
  }
  return true;
}

void check_isas(const VectorKernel& kernel, const std::vector<std::vector<float>>& inputs) {
  const std::vector<float> baseline = run(kernel, Isa::baseline, inputs);
  if (detected_isa() >= Isa::avx2) CHECK(same_bits(baseline, run(kernel, Isa::avx2, inputs)));
  if (detected_isa() >= Isa::avx512) CHECK(same_bits(baseline, run(kernel, Isa::avx512, inputs)));
}

template <float (*function)(float)>
struct Body {
  [[gnu::always_inline]] static float apply(const float*, float x) { return function(x); }
};

template <float (*function)(float)>
void check_unary(const char* name, double (*exact)(double), double limit = 4) {
  INFO(name);
  static const std::vector<float> values = sweep();
  const VectorKernel kernel = vector_kernel<Body<function>, 1>();
  const std::vector<float> got = run(kernel, Isa::baseline, {values});
  double worst = 0;
  float at = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = ulps(got[i], exact(static_cast<double>(values[i])));
    if (error > worst) {
      worst = error;
      at = values[i];
    }
  }
  INFO("worst: " << worst << " ulp at " << at);
  CHECK(worst <= limit);
  check_isas(kernel, {values});
}

double exact_sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
double exact_softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
double exact_normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

}  // namespace

TEST_CASE("vector functions are within 4 ulp of f64 over the whole range, the same on every instruction set",
          "[single-threaded]") {
  check_unary<vector_exp>("exp", std::exp);
  check_unary<vector_expm1>("expm1", std::expm1);
  check_unary<vector_log>("log", std::log);
  check_unary<vector_tanh>("tanh", std::tanh);
  check_unary<vector_sigmoid>("sigmoid", exact_sigmoid);
  check_unary<vector_softplus>("softplus", [](double x) { return std::isnan(x) ? x : exact_softplus(x); });
  check_unary<vector_erf>("erf", std::erf);
  check_unary<vector_normal_cdf>("normal_cdf", exact_normal_cdf, 8);
  check_unary<vector_sqrt>(
      "sqrt", [](double x) { return std::sqrt(x); }, 0.5);
}

TEST_CASE("sines are within 4 ulp of angles up to 2^28, and of no others more than 1", "[single-threaded]") {
  const auto check = [](auto function, double (*exact)(double)) {
    double worst = 0;
    for (const float x : sweep()) {
      const float y = function(x);
      if (!(std::abs(x) < 0x1p28F)) {
        CHECK(std::isfinite(x) == !std::isnan(y));
        CHECK_FALSE(std::abs(y) > 1);
        continue;
      }
      worst = std::max(worst, ulps(y, exact(static_cast<double>(x))));
    }
    CHECK(worst <= 4);
  };
  check(vector_sin, std::sin);
  check(vector_cos, std::cos);
  CHECK(std::signbit(vector_sin(-0.0F)));
  static const std::vector<float> values = sweep();
  check_isas(vector_kernel<Body<vector_sin>, 1>(), {values});
  check_isas(vector_kernel<Body<vector_cos>, 1>(), {values});
}

TEST_CASE("vector_log1p_unit is within 4 ulp on [0, 1]") {
  double worst = 0;
  for (std::uint32_t bits = 0; bits <= std::bit_cast<std::uint32_t>(1.0F); bits += 301) {
    const auto e = std::bit_cast<float>(bits);
    worst = std::max(worst, ulps(vector_log1p_unit(e), std::log1p(static_cast<double>(e))));
  }
  CHECK(worst <= 4);
}

TEST_CASE("vector_pow agrees with std::pow, special values included", "[single-threaded]") {
  std::vector<float> bases = {0.0F,         -0.0F,  1.0F,    -1.0F, infinity, -infinity,
                              not_a_number, 2.0F,   -2.0F,   0.5F,  -0.5F,    3.7F,
                              -3.7F,        1e-40F, -1e-40F, 1e38F, -1e38F,   1.0000001F};
  std::vector<float> exponents = {0.0F,  -0.0F,        1.0F,  -1.0F,    2.0F,      3.0F,       -3.0F,
                                  0.5F,  -0.5F,        1e9F,  2.5F,     -2.5F,     7.0F,       1e-3F,
                                  -8.0F, not_a_number, 40.0F, infinity, -infinity, 16777215.0F};
  for (std::uint32_t bits = 0x00800000; bits < 0x7F800000U; bits += 1000003) {
    bases.push_back(std::bit_cast<float>(bits));
  }
  for (int i = -40; i <= 40; ++i) exponents.push_back(static_cast<float>(i) * 0.37F);
  std::vector<float> x;
  std::vector<float> y;
  for (const float base : bases) {
    for (const float exponent : exponents) {
      x.push_back(base);
      y.push_back(exponent);
    }
  }
  struct Pow {
    [[gnu::always_inline]] static float apply(const float*, float a, float b) { return vector_pow(a, b); }
  };
  const VectorKernel kernel = vector_kernel<Pow, 2>();
  const std::vector<float> got = run(kernel, Isa::baseline, {x, y});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = std::pow(static_cast<double>(x[i]), static_cast<double>(y[i]));
    INFO("pow(" << x[i] << ", " << y[i] << ") = " << got[i] << ", std::pow has " << exact);
    // 1 and NaN with a huge exponent: any rounding of the base would be magnified, and there is none.
    const bool ok = ulps(got[i], exact) <= 4;
    if (!ok) CHECK(ok);
    if (exact == 0 || std::isinf(exact)) CHECK(std::signbit(got[i]) == std::signbit(exact));
  }
  check_isas(kernel, {x, y});
}

TEST_CASE("an element has the same bits wherever it stands in a row") {
  const VectorKernel kernel = vector_kernel<Body<vector_tanh>, 1>();
  std::vector<float> row(67);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(i) * 0.1F - 3.0F;
  const std::vector<float> whole = run(kernel, detected_isa(), {row});
  for (std::size_t begin = 0; begin < row.size(); ++begin) {
    const std::vector<float> part =
        run(kernel, detected_isa(), {{row.begin() + static_cast<std::ptrdiff_t>(begin), row.end()}});
    REQUIRE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(begin)));
  }
}
