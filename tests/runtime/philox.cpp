#include "runtime/state/philox.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;

namespace {

const RandomState training{7, static_cast<std::uint32_t>(RandomDomain::training), 3, 0};

template <class T>
std::vector<T> uniform(const RandomStream& stream, std::uint64_t row, std::size_t count) {
  std::vector<T> values(count);
  fill_uniform(stream, row, count, std::span<T>(values));
  return values;
}

template <class T>
std::vector<T> normal(const RandomStream& stream, std::uint64_t row, std::size_t count) {
  std::vector<T> values(count);
  fill_normal(stream, row, count, std::span<T>(values));
  return values;
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U});
  CHECK(philox({0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU}, {0xffffffffU, 0xffffffffU}) ==
        PhiloxCounter{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU});
  CHECK(philox({0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}, {0xa4093822U, 0x299f31d0U}) ==
        PhiloxCounter{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U});
}

TEST_CASE("the hash of a path is fixed: checkpoints and seeds depend on it") {
  CHECK(runtime::stable_hash("enc.0") == runtime::stable_hash("enc.0"));
  CHECK(runtime::stable_hash("enc.0") != runtime::stable_hash("enc.1"));
  CHECK(runtime::stable_hash("") == 0xf52a15e9a9b5e89bULL);
}

TEST_CASE("f32 and f64 give the same uniform numbers, from 0 to below 1") {
  const RandomStream stream = RandomStream::of("noise", training);
  for (const std::size_t count : {1U, 3U, 4U, 255U, 256U, 257U, 784U}) {
    const auto f32 = uniform<float>(stream, 5, count);
    const auto f64 = uniform<double>(stream, 5, count);
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(static_cast<double>(f32[i]) == f64[i]);
      REQUIRE(f32[i] >= 0);
      REQUIRE(f32[i] < 1);
    }
  }
}

TEST_CASE("a draw depends on neither the length of the row nor other rows") {
  const RandomStream stream = RandomStream::of("noise", training);
  const auto long_row = normal<float>(stream, 9, 1000);
  for (const std::size_t count : {1U, 2U, 5U, 256U, 300U}) {
    const auto short_row = normal<float>(stream, 9, count);
    CHECK(std::equal(short_row.begin(), short_row.end(), long_row.begin()));
  }
}

TEST_CASE("rows drawn together have the bits that each has alone") {
  const RandomStream stream = RandomStream::of("noise", training);
  constexpr std::uint64_t first_row =
      (1ULL << 32) - 2;  // the number's upper half is another in the third row
  constexpr std::size_t rows = 150;
  for (const std::size_t columns : {1U, 2U, 4U, 5U, 20U, 63U, 64U, 255U, 256U, 257U, 300U, 784U}) {
    std::vector<float> uniform_rows(rows * columns);
    std::vector<float> normal_rows(rows * columns);
    fill_uniform(stream, first_row, columns, std::span(uniform_rows));
    fill_normal(stream, first_row, columns, std::span(normal_rows));
    for (std::size_t row = 0; row < rows; ++row) {
      CAPTURE(columns, row);
      const auto begin = static_cast<std::ptrdiff_t>(row * columns);
      const auto uniform_row = uniform<double>(stream, first_row + row, columns);
      const auto normal_row = normal<float>(stream, first_row + row, columns);
      REQUIRE(std::equal(uniform_row.begin(), uniform_row.end(), uniform_rows.begin() + begin));
      REQUIRE(std::equal(normal_row.begin(), normal_row.end(), normal_rows.begin() + begin));
    }
  }
}

TEST_CASE("seed, path, domain, step and row each change every draw") {
  std::set<std::vector<float>> seen;
  const auto add = [&](const std::string& path, RandomState state, std::uint64_t row) {
    seen.insert(uniform<float>(RandomStream::of(path, state), row, 4));
  };
  add("a", {1, 1, 1, 0}, 1);
  add("b", {1, 1, 1, 0}, 1);
  add("a", {2, 1, 1, 0}, 1);
  add("a", {1, 2, 1, 0}, 1);
  add("a", {1, 1, 2, 0}, 1);
  add("a", {1, 1, 1ULL << 32, 0}, 1);
  add("a", {1, 1, 1, 0}, 2);
  add("a", {1, 1, 1, 0}, 1ULL << 32);
  CHECK(seen.size() == 8);
}

TEST_CASE("normal numbers have mean 0, variance 1 and kurtosis 3, and f32 stays near f64") {
  const RandomStream stream = RandomStream::of("eps", training);
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  double worst = 0;
  constexpr std::size_t rows = 200;
  constexpr std::size_t columns = 1001;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto f32 = normal<float>(stream, row, columns);
    const auto f64 = normal<double>(stream, row, columns);
    for (std::size_t i = 0; i < columns; ++i) {
      sum += f64[i];
      squares += f64[i] * f64[i];
      fourths += std::pow(f64[i], 4);
      worst = std::max(worst, std::abs(static_cast<double>(f32[i]) - f64[i]));
    }
  }
  constexpr double count = rows * columns;
  CHECK(std::abs(sum / count) < 0.01);
  CHECK(std::abs(squares / count - 1) < 0.015);
  CHECK(std::abs(fourths / count - 3) < 0.1);
  CHECK(worst < 2e-6);
}

TEST_CASE("numbers below a bound are in range and roughly even") {
  const RandomStream stream = RandomStream::of("order", {1, 3, 0, 0});
  std::array<int, 7> counts{};
  for (std::uint64_t row = 0; row < 7000; ++row) ++counts.at(random_below(stream, row, 7));
  CHECK(*std::min_element(counts.begin(), counts.end()) > 850);
  CHECK(random_below(stream, 0, 1) == 0);
}
