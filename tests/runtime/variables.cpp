#include "runtime/state/variables.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/state/initialize.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::throws;

namespace {

std::vector<float> drawn(const Initializer& initializer, const Extents& extents, std::string name = "w",
                         std::uint64_t seed = 1) {
  std::vector<float> values(static_cast<std::size_t>(element_count(extents)));
  initialize(initializer, name, extents, seed, values);
  return values;
}

struct Moments {
  double mean = 0;
  double variance = 0;
  double largest = 0;
};

Moments moments(const std::vector<float>& values) {
  Moments m;
  for (const double value : values) m.mean += value / static_cast<double>(values.size());
  for (const double value : values) {
    m.variance += (value - m.mean) * (value - m.mean) / static_cast<double>(values.size());
    m.largest = std::max(m.largest, std::abs(value));
  }
  return m;
}

}  // namespace

TEST_CASE("the scaled initializers have the variance of their formula") {
  const Extents shape = {300, 100};
  const std::vector<std::pair<std::string, double>> variances = {
      {"glorot_uniform", 2.0 / 400}, {"glorot_normal", 2.0 / 400}, {"he_uniform", 2.0 / 300},
      {"he_normal", 2.0 / 300},      {"lecun_uniform", 1.0 / 300}, {"lecun_normal", 1.0 / 300},
      {"torch_linear", 1.0 / 900}};
  for (const auto& [name, variance] : variances) {
    CAPTURE(name);
    const Moments m = moments(drawn({name, {}}, shape));
    CHECK(std::abs(m.mean) < 0.03 * std::sqrt(variance));
    CHECK(m.variance == Approx(variance).epsilon(0.03));
    const bool uniform = name.find("normal") == std::string::npos;
    if (uniform) CHECK(m.largest <= std::sqrt(3 * variance) * (1 + 1e-6));
  }
}

TEST_CASE("simple initializers give what they say") {
  CHECK(drawn({"zeros", {}}, {2}) == std::vector<float>{0, 0});
  CHECK(drawn({"ones", {}}, {2}) == std::vector<float>{1, 1});
  CHECK(drawn({"constant", {{"value", 0.25}}}, {2}) == std::vector<float>{0.25, 0.25});
  const Moments uniform = moments(drawn({"uniform", {{"low", 2}, {"high", 3}}}, {100, 100}));
  CHECK(uniform.mean == Approx(2.5).epsilon(0.01));
  CHECK(uniform.largest < 3);
  const Moments normal = moments(drawn({"normal", {{"mean", -1}, {"std", 0.5}}}, {100, 100}));
  CHECK(normal.mean == Approx(-1).epsilon(0.02));
  CHECK(normal.variance == Approx(0.25).epsilon(0.05));
  CHECK(moments(drawn({"torch_linear", {{"fan_in", 100}}}, {1000})).largest <= 0.1);
  CHECK(drawn({"normal", {}}, {0, 5}).empty());
  CHECK(drawn({"normal", {}}, {}).size() == 1);
}

TEST_CASE("an orthogonal matrix has orthonormal rows or columns") {
  for (const Extents& shape : {Extents{20, 50}, Extents{50, 20}, Extents{30, 30}}) {
    const auto columns = static_cast<std::size_t>(shape[1]);
    const auto rows = static_cast<std::size_t>(shape[0]);
    const std::vector<float> w = drawn({"orthogonal", {{"gain", 2}}}, shape);
    const bool wide = rows < columns;
    const std::size_t count = std::min(rows, columns);
    const std::size_t length = std::max(rows, columns);
    const auto at = [&](std::size_t vector, std::size_t i) {
      return static_cast<double>(wide ? w[vector * columns + i] : w[i * columns + vector]);
    };
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = 0; b <= a; ++b) {
        double dot = 0;
        for (std::size_t i = 0; i < length; ++i) dot += at(a, i) * at(b, i);
        REQUIRE(std::abs(dot - (a == b ? 4 : 0)) < 1e-5);
      }
    }
  }
}

TEST_CASE("a wrong initializer is explained") {
  CHECK(throws([] { drawn({"glorot", {}}, {2, 2}); }, ErrorCode::model, "there is no initializer 'glorot'"));
  CHECK(throws([] { drawn({"normal", {{"sdt", 1}}}, {2}); }, ErrorCode::model, "has no argument 'sdt'"));
  CHECK(throws([] { drawn({"torch_linear", {}}, {2}); }, ErrorCode::model, "needs fan_in"));
  CHECK(throws([] { drawn({"orthogonal", {}}, {2}); }, ErrorCode::model, "needs two axes"));
}

TEST_CASE("a variable's start depends on seed and name, not on order or others") {
  VariableStore one;
  one.declare("a", {3, 4}, {"normal", {}}, true);
  one.declare("b", {3, 4}, {"normal", {}}, true);
  one.initialise(1);
  VariableStore other;
  other.declare("b", {3, 4}, {"normal", {}}, true);
  other.initialise(1);
  const auto values = [](VariableStore& store, const std::string& name) {
    const auto span = store.get(name).values;
    return std::vector<float>(span.begin(), span.end());
  };
  CHECK(values(one, "b") == values(other, "b"));
  CHECK(values(one, "a") != values(one, "b"));
  CHECK(drawn({"normal", {}}, {3, 4}, "b", 2) != values(one, "b"));
}

TEST_CASE("variables keep their address, their values and their shape") {
  VariableStore store;
  auto& first = store.declare("a", {5}, {"ones", {}}, true);
  const float* const address = first.values.data();
  CHECK(reinterpret_cast<std::uintptr_t>(address) % 64 == 0);
  for (int i = 0; i < 100; ++i) store.declare("x" + std::to_string(i), {i}, {}, false);
  store.initialise(1);
  first.values[0] = 7;
  store.initialise(2);
  CHECK(store.get("a").values.data() == address);
  CHECK(store.get("a").values[0] == 7);
  CHECK(&store.declare("a", {5}, {"zeros", {}}, true) == &first);
  CHECK(store.all().size() == 101);
  CHECK(store.find("nothing") == nullptr);
  CHECK(
      throws([&] { store.declare("a", {6}, {}, true); }, ErrorCode::model, "[5] already and cannot be [6]"));
  CHECK(throws([&] { store.get("nothing"); }, ErrorCode::usage, "no variable 'nothing'"));
}

TEST_CASE("a part of a variable is kept, and a part of one that is whole has a name") {
  VariableStore store;
  VariableStore::Variable& slot =
      store.declare_part("adam/w/m", {8, 8}, 16, 32, {"constant", {{"value", 2}}});
  CHECK(slot.extents == Extents{32});
  CHECK(slot.whole == Extents{8, 8});
  store.declare("w", {8, 8}, {"zeros", {}}, true);
  store.name_part("w/own", "w", 16, 32);
  store.initialise(1);
  CHECK(slot.values.back() == 2);
  CHECK(store.size() == 2);
  VariableStore::Variable& part = store.get("w/own");
  CHECK(part.initialised);
  part.values[0] = 7;
  CHECK(store.get("w").values[16] == 7);
  CHECK(throws([&] { store.declare("w/own", {64}, {}, false); }, ErrorCode::model, "w/own"));
}
