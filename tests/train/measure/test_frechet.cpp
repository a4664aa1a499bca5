// Fréchet distances against answers that are known or were computed otherwise.
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/thrown.hpp"
#include "train/measure/frechet.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;
using nlohmann::json;

namespace {

Codes rows_of(const json& values, std::int64_t width) {
  return {width, values.get<std::vector<float>>()};
}

/// Every row in turn at mean + deviation and mean - deviation: a normal of that mean and nearly that
/// deviation.
Codes pairs(std::int64_t count, std::vector<std::pair<float, float>> mean_and_deviation) {
  Codes codes{static_cast<std::int64_t>(mean_and_deviation.size()), {}};
  for (std::int64_t row = 0; row < count; ++row)
    for (std::size_t i = 0; i < mean_and_deviation.size(); ++i) {
      const auto& [mean, deviation] = mean_and_deviation[i];
      codes.values.push_back(mean + (((row >> i) & 1) == 0 ? deviation : -deviation));
    }
  return codes;
}

}  // namespace

TEST_CASE("Fréchet distances are those that NumPy finds by another way") {
  std::ifstream file(testing::in_source("/tests/goldens/frechet.json"));
  const json cases = json::parse(file);
  CHECK(cases.size() == 3);
  for (const auto& [name, one] : cases.items()) {
    INFO(name);
    const auto width = one["width"].get<std::int64_t>();
    const Codes a = rows_of(one["a"], width);
    const Codes b = rows_of(one["b"], width);
    REQUIRE(a.count() == one["rows"].get<std::int64_t>());
    CHECK(frechet_distance(a, b) == Approx(one["distance"].get<double>()).epsilon(1e-7));
    CHECK(frechet_distance(b, a) == Approx(frechet_distance(a, b)).epsilon(1e-7));
    CHECK(frechet_distance(a, a) == Approx(0).margin(1e-7));
  }
}

TEST_CASE("the distance of independent values is that of their means and deviations") {
  const std::int64_t count = 4096;
  const Codes a = pairs(count, {{0.0F, 1.0F}, {2.0F, 3.0F}});
  const Codes b = pairs(count, {{1.0F, 1.0F}, {2.0F, 5.0F}});
  // 1 for the means; for the deviations (5 - 3)^2, times what the unbiased variance adds.
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  CHECK(frechet_distance(a, b) == Approx(1 + 4 * unbiased).epsilon(1e-9));
}

TEST_CASE("rows that cannot be compared are refused") {
  const Codes two{2, {0, 1, 2, 3}};
  CHECK(throws(
      [&] {
        frechet_distance(two, {4, {0, 1, 2, 3, 4, 5, 6, 7}});
      },
      ErrorCode::usage, "rows of 2 and of 4 values cannot be compared"));
  CHECK(throws([&] { frechet_distance(two, {2, {0, 1}}); }, ErrorCode::usage, "needs two rows or more"));
  CHECK(throws(
      [&] {
        frechet_distance({2000, std::vector<float>(4000)}, two);
      },
      ErrorCode::usage, "the features have 2000 values, and there may be 1024 at most"));
  CHECK(throws(
      [&] {
        frechet_distance(two, {2, {0, 1, 2, std::numeric_limits<float>::quiet_NaN()}});
      },
      ErrorCode::not_finite, "not all finite"));
}
