// Plans of images: rows that run block by block, and sums over the batch in parts.
#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>

#include "graph/interpreter.hpp"
#include "runtime/products/tiled_matmul.hpp"
#include "tests/runtime/lowered.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::runtime::testing::k;
using graphrun::runtime::testing::n;
using graphrun::runtime::testing::outputs_of;

namespace {

/// Two layers and their gradients: convolutions, normalisation, pools, functions between.
std::shared_ptr<const Graph> two_layers() {
  Builder builder(ops::registry());
  const auto input = [&](const std::string& name, const Shape& shape) {
    return Term(builder, builder.add("input", {}, {{"shape", shape}}, {.name = name}));
  };
  const Attributes same = {{"pad", std::int64_t{1}}};
  const Attributes by_two = {{"kernel", std::int64_t{2}}};
  const Term x = input("x", {n, k(28), k(28), k(3)});
  const Term first = call("convolution", {x, input("w", {k(3), k(3), k(3), k(16)})}, same);
  const Term scale = input("s", {k(16)});
  const Term largest = call("extreme_pool", {first, scale}, by_two);
  const Term h =
      call("tanh", {call("normalise", {largest, input("c", {k(16)}), scale, input("t", {k(16)})})});
  const Term v = input("v", {k(3), k(3), k(16), k(32)});
  const Term y = call("tanh", {call("convolution", {h, v}, same)});
  const Term slope = call("mul", {y, input("g", {n, k(14), k(14), k(32)})});
  const Term back =
      call("transposed_convolution", {slope, v}, {{"pad", std::int64_t{1}}, {"size", std::vector{14L, 14L}}});
  const Term images = call("extreme_pool_gradient", {first, scale, back}, by_two) + first;
  const Attributes kernel = {{"pad", std::int64_t{1}}, {"kernel", std::vector{3L, 3L}}};
  builder.output("sums", call("sum", {y}, {{"axis", Axes{false, {1, 2}}}}));
  builder.output("dv", call("convolution_weight_gradient", {h, slope}, kernel));
  builder.output("dw", call("convolution_weight_gradient", {x, images}, kernel));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

/// Eighths, so that the first convolution is exact and f64 finds the largest pixels where f32 does.
graphrun::testing::Values inputs_of(const Graph& graph, std::int64_t batch) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> distribution(-1, 1);
  graphrun::testing::Values values;
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.input) continue;
    const Extents extents = graphrun::bind(node.type.shape, batch);
    std::vector<float> elements(static_cast<std::size_t>(element_count(extents)));
    for (float& element : elements) element = std::round(8 * distribution(generator)) / 8;
    values.set(node.name, extents, std::move(elements));
  }
  return values;
}

/// Units by op.
std::vector<Unit> units_of(const Plan& plan, const std::string& op) {
  std::vector<Unit> units;
  for (const Unit& unit : plan.units)
    if (plan.graph->node(unit.node).op->name == op) units.push_back(unit);
  return units;
}

}  // namespace

TEST_CASE("plans of images give the same bits for any number of workers, and what f64 says") {
  const auto graph = two_layers();
  for (const std::int64_t batch : {3, 40, 77}) {
    const graphrun::testing::Values inputs = inputs_of(*graph, batch);
    const auto expected = outputs_of(graph, batch, inputs, {}, 1);
    HostVariables variables;
    const std::vector<HostTensor> exact = interpret(*graph, variables, {batch, inputs.host(), {}});
    for (std::size_t i = 0; i < expected.size(); ++i) {
      INFO(batch << ", " << graph->outputs()[i].name);
      const std::vector<double>& wanted = exact[graph->outputs()[i].node].values;
      REQUIRE(expected[i].size() == wanted.size());
      double largest = 1;
      double worst = 0;
      for (std::size_t j = 0; j < wanted.size(); ++j) {
        largest = std::max(largest, std::abs(wanted[j]));
        worst = std::max(worst, std::abs(wanted[j] - expected[i][j]));
      }
      CHECK(worst <= 1e-5 * largest);  // numbers cancel in sums over the batch, and their rounding does not
    }
    for (const int threads : {2, 3, 5, 16}) {
      INFO(batch << " rows, " << threads << " threads");
      CHECK(outputs_of(graph, batch, inputs, {}, threads) == expected);
    }
    LoweringOptions uncut;
    uncut.slicing = false;
    CHECK(outputs_of(graph, batch, inputs, uncut) == expected);
    LoweringOptions unshared;
    unshared.memory_sharing = false;
    CHECK(outputs_of(graph, batch, inputs, unshared) == expected);
  }
}

TEST_CASE("what goes over images one after the other runs block by block") {
  const auto graph = two_layers();
  const auto plan = lower(graph, 64, ops::kernels());
  for (const std::string op : {"convolution", "extreme_pool", "transposed_convolution"}) {
    INFO(op);
    for (const Unit& unit : units_of(*plan, op)) CHECK(unit.row_count == 8);
  }
  LoweringOptions uncut;
  uncut.slicing = false;
  const auto whole = lower(graph, 64, ops::kernels(), uncut);
  CHECK(units_of(*whole, "extreme_pool").front().row_count == 64);
}

TEST_CASE("what has little to do with the weights it reads runs whole, and not block by block") {
  Builder builder(ops::registry());
  const auto input = [&](const std::string& name, const Shape& shape) {
    return Term(builder, builder.add("input", {}, {{"shape", shape}}, {.name = name}));
  };
  const Term u = input("u", {k(64), k(256)});
  const Term b = input("b", {k(256)});
  for (const std::int64_t steps : {16, 64}) {
    const std::string its = std::to_string(steps);
    const Term p = input("p" + its, {n, k(steps), k(256)});
    const Term mask = input("mask" + its, {n, k(steps)});
    const Term start = input("start" + its, {n, k(128)});
    builder.output("of " + its, call("tanh", {call("lstm_steps", {p, u, b, mask, start})}));
  }
  const Term word = call("argmax", {input("x", {n, k(8), k(10)})});
  builder.output("moved", call("tanh", {call("gather", {input("book", {k(512), k(784)}), word})}));
  const auto plan = lower(std::make_shared<const Graph>(std::move(builder).finish()), 64, ops::kernels());
  const auto rows_of = [&](const std::string& op, std::int64_t steps) {
    std::set<std::int64_t> rows;
    for (const Unit& unit : units_of(*plan, op))
      if (plan->graph->node(unit.node).type.shape[1].is_number(steps)) rows.insert(unit.row_count);
    return rows;
  };
  CHECK(rows_of("lstm_steps", 16) == std::set<std::int64_t>{32});
  CHECK(rows_of("lstm_steps", 64) == std::set<std::int64_t>{8});
  CHECK(rows_of("gather", 8) == std::set<std::int64_t>{8});
}

TEST_CASE("who is asked for runs convolutions, products of many matrices and steps of recurrences too") {
  Builder builder(ops::registry());
  const auto input = [&](const std::string& name, const Shape& shape) {
    return Term(builder, builder.add("input", {}, {{"shape", shape}}, {.name = name}));
  };
  builder.output("products", call("matmul", {input("a", {n, k(6), k(20)}), input("b", {n, k(20), k(16)})}));
  builder.output("images", call("transposed_convolution",
                                {input("y", {n, k(14), k(14), k(16)}), input("w", {k(3), k(3), k(1), k(16)})},
                                {{"pad", std::int64_t{1}}, {"size", std::vector{14L, 14L}}}));
  const Term p = input("p", {n, k(5), k(32)});
  const Term u = input("u", {k(8), k(32)});
  const Term t = input("t", {k(32)});
  const Term mask = input("mask", {n, k(5)});
  const Term start = input("start", {n, k(16)});
  const Term h = call("lstm_steps", {p, u, t, mask, start});
  builder.output("steps", h);
  builder.output("slopes",
                 call("lstm_steps_gradient", {p, u, t, mask, start, h, input("g", {n, k(5), k(16)})}));
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  const auto in_library = [&](ProviderChoice choice) {
    LoweringOptions options;
    options.provider = choice;
    const auto plan = lower(graph, 32, ops::kernels(), options);
    return std::ranges::count_if(plan->implementations,
                                 [](const std::string& name) { return name.starts_with("oneDNN"); });
  };
  const bool tiles = has_tiles(detected_isa());
  CHECK(in_library(ProviderChoice::onednn) == (tiles ? 4 : 2));
  CHECK(in_library(ProviderChoice::tiles) == (tiles ? 0 : 2));
}

TEST_CASE("what a single reader needs is made right before it, a block for a block") {
  const auto plan = lower(two_layers(), 64, ops::kernels());
  const auto op_of = [&](const Unit& unit) { return plan->graph->node(unit.node).op->name; };
  std::size_t found = 0;
  for (std::size_t i = 0; i + 1 < plan->units.size(); ++i) {
    if (op_of(plan->units[i]) != "extreme_pool_gradient") continue;
    ++found;
    CHECK(op_of(plan->units[i + 1]) == "add");
    CHECK(plan->units[i].row_begin == plan->units[i + 1].row_begin);
  }
  CHECK(found == 8);
}

TEST_CASE("the gradient of a convolution's weights is a sum of parts, as many as the shapes say") {
  const auto graph = two_layers();
  for (const std::size_t workers : {1, 2, 16}) {
    LoweringOptions options;
    options.workers = workers;
    const auto parts = [&](std::int64_t batch) {
      std::set<std::pair<std::int64_t, std::int64_t>> rows;
      const auto plan = lower(graph, batch, ops::kernels(), options);
      const NodeId gradient = graph->outputs()[1].node;
      constexpr std::int64_t total_rows = 3;  // of the weights, which the total makes
      for (const Unit& unit : plan->units)
        if (unit.node == gradient && unit.row_count > total_rows)
          rows.emplace(unit.row_begin, unit.row_count);
      return rows;
    };
    CAPTURE(workers);
    CHECK(parts(16).empty());  // one task
    CHECK(parts(40) == std::set<std::pair<std::int64_t, std::int64_t>>{{0, 32}, {32, 8}});
    CHECK(parts(256).size() == 16);
  }
}
