#include "runtime/products/eltwise.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "runtime/machine/host_state.hpp"
#include "runtime/products/provider.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::runtime;

namespace {

constexpr std::size_t count = 75;

std::vector<float> spread() {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i) / 10 - 4;
  return values;
}

const EltwiseProvider& library(const EltwiseSpec& spec) {
  const EltwiseProvider* const provider = eltwise_provider(spec, ProviderChoice::onednn);
  REQUIRE(provider != nullptr);
  return *provider;
}

std::vector<float> run(const EltwiseSpec& spec, const std::vector<float>& values,
                       const std::vector<float>& cotangents = {}) {
  const auto function = library(spec).make(spec);
  CHECK(function->implementation().starts_with("oneDNN "));
  CHECK_FALSE(is_reference_implementation(function->implementation()));
  std::vector<float> output(count);
  const HostState state;
  REQUIRE(function->bind()->run({values.data(), cotangents.data(), output.data()}));
  return output;
}

}  // namespace

TEST_CASE("oneDNN's functions agree with f64 and let NaN through") {
  const std::vector<std::pair<PostOpSpec, double (*)(double)>> functions = {
      {{PostOp::leaky_relu, 0.1F}, [](double x) { return x < 0 ? 0.1 * x : x; }},
      {{PostOp::elu, 1}, [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {{PostOp::gelu}, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
      {{PostOp::silu}, [](double x) { return x / (1 + std::exp(-x)); }},
      {{PostOp::sigmoid}, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {{PostOp::tanh}, [](double x) { return std::tanh(x); }},
      {{PostOp::softplus}, [](double x) { return std::log1p(std::exp(x)); }}};
  for (const auto& [function, exact] : functions) {
    CAPTURE(static_cast<int>(function.kind));
    std::vector<float> values = spread();
    values[7] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> made = run({function, false, count}, values);
    for (std::size_t i = 0; i < count; ++i) {
      if (i == 7) {
        CHECK(std::isnan(made[i]));
      } else {
        CHECK(std::abs(made[i] - exact(values[i])) < 1e-5);
      }
    }
  }
}

TEST_CASE("oneDNN's gradients come from the result") {
  for (const PostOp kind : {PostOp::tanh, PostOp::sigmoid}) {
    std::vector<float> results = spread();
    for (float& y : results) y = std::tanh(y);
    const std::vector<float> cotangents = spread();
    const std::vector<float> made = run({{kind}, true, count}, results, cotangents);
    for (std::size_t i = 0; i < count; ++i) {
      const double y = results[i];
      const double slope = kind == PostOp::tanh ? 1 - y * y : y * (1 - y);
      CHECK(std::abs(made[i] - cotangents[i] * slope) < 1e-5);
    }
  }
}

TEST_CASE("what hides a NaN, and what is asked of others, runs in our own kernels") {
  CHECK(eltwise_provider({{PostOp::relu}, false, count}, ProviderChoice::onednn) == nullptr);
  CHECK(eltwise_provider({{PostOp::tanh}, false, 0}, ProviderChoice::onednn) == nullptr);
  CHECK(eltwise_provider({{PostOp::tanh}, false, count}, ProviderChoice::tiles) == nullptr);
}
