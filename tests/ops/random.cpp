// Random ops: what they are distributed like, and what a draw depends on.
#include <cmath>

#include "ops/op.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

constexpr std::int64_t columns = 500;

/// What a random op of this written path draws.
std::vector<double> draw(const std::string& op, const std::string& path, const RandomState& state,
                         std::int64_t rows = 40, Attributes attributes = {}) {
  Maker maker;
  std::vector<NodeId> inputs;
  if (op == "bernoulli") inputs.push_back(maker.number(0.3));
  attributes.set("shape", batch_of({columns}));
  auto origin = std::make_shared<Origin>();
  origin->path = path;
  const NodeId node = maker.builder.add(op, inputs, std::move(attributes), {.name = "y", .origin = origin});
  maker.builder.output("y", node);
  const Graph graph = maker.finish();
  HostVariables none;
  return interpret(graph, none, {.batch = rows, .random = state})[node].values;
}

double mean(const std::vector<double>& values, int power = 1) {
  double total = 0;
  for (const double value : values) total += std::pow(value, power);
  return total / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("draws are distributed as they say") {
  const RandomState state{.seed = 7};
  const std::vector<double> normal = draw("random_normal", "eps", state);
  CHECK(std::abs(mean(normal)) < 0.03);
  CHECK(std::abs(mean(normal, 2) - 1) < 0.05);
  CHECK(std::abs(mean(normal, 3)) < 0.1);
  CHECK(std::abs(mean(normal, 4) - 3) < 0.3);
  const std::vector<double> uniform = draw("random_uniform", "u", state, 40, {{"low", -1.0}, {"high", 3.0}});
  CHECK(std::abs(mean(uniform) - 1) < 0.05);
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= -1);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) < 3);
  const std::vector<double> mask = draw("bernoulli", "mask", state);
  CHECK(std::abs(mean(mask) - 0.3) < 0.02);
  CHECK(std::all_of(mask.begin(), mask.end(), [](double value) { return value == 0 || value == 1; }));
}

TEST_CASE("a draw depends on seed, path, domain, step and row, and on nothing else") {
  const RandomState state{.seed = 1, .domain = 1, .step = 5};
  for (const char* const op : {"random_normal", "random_uniform", "bernoulli"}) {
    INFO(op);
    const std::vector<double> all = draw(op, "a", state);
    CHECK(draw(op, "a", state) == all);
    CHECK(draw(op, "b", state) != all);
    CHECK(draw(op, "a", {.seed = 2, .domain = 1, .step = 5}) != all);
    CHECK(draw(op, "a", {.seed = 1, .domain = 2, .step = 5}) != all);
    CHECK(draw(op, "a", {.seed = 1, .domain = 1, .step = 6}) != all);
    // A sample draws the same numbers in a batch that begins elsewhere.
    const std::vector<double> later = draw(op, "a", {.seed = 1, .domain = 1, .step = 5, .first_row = 13}, 4);
    CHECK(std::equal(later.begin(), later.end(), all.begin() + 13 * columns));
  }
}

TEST_CASE("without a written path the name keys the draws") {
  const auto value = [](const std::string& name) {
    Maker maker;
    const NodeId node = maker.builder.add("random_normal", {}, {{"shape", shape({3})}}, {.name = name});
    maker.builder.output("y", node);
    const Graph graph = maker.finish();
    HostVariables none;
    return interpret(graph, none, {})[node].values;
  };
  CHECK(value("a") == value("a"));
  CHECK(value("a") != value("b"));
}
