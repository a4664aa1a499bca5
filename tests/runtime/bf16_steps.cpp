// Graphs and whole steps whose products read operands that are rounded to bf16. What needs instructions for
// bf16 is only tested where they are; the emulated form is tested everywhere.
#include <cmath>
#include <set>
#include <vector>

#include "graph/interpreter.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/products/provider.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/same_bits.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::autoencoder;
using graphrun::testing::NetworkShape;
using graphrun::testing::same_bits;

namespace {

/// Large enough that slices, and rows of weight gradients, are cut.
const NetworkShape network{.widths = {560, 640, 33}, .noise = true};

NetworkShape at(Precision precision) {
  NetworkShape shape = network;
  shape.precision = precision;
  return shape;
}

constexpr std::int64_t rows = 160;

SessionOptions with(Precision precision, ExecutorKind executor = ExecutorKind::serial, int threads = 1) {
  SessionOptions options;
  options.executor = executor;
  options.threads = threads;
  options.lowering.precision = precision;
  return options;
}

std::vector<float> trained(Precision precision, const SessionOptions& options, int steps) {
  return graphrun::testing::trained(at(precision), options, rows, steps);
}

}  // namespace

// ---- Graphs ----

TEST_CASE("every operand of a product is rounded, once, and nothing else is") {
  const auto graph = autoencoder(at(Precision::bf16));
  std::set<NodeId> values;
  std::size_t products = 0;
  for (const Node& node : graph->nodes()) {
    if (node.op->name == "round_bf16") CHECK(values.insert(node.inputs[0]).second);
    if (!node.op->traits.products) continue;
    ++products;
    for (const NodeId input : node.inputs) CHECK(graph->node(input).op->name == "round_bf16");
  }
  CHECK(products == 4 + 4 + 3);       // forward, weights, all but the first layer's inputs
  CHECK(values.size() == 4 + 4 + 4);  // weights, what layers read, their cotangents
  const auto exact = autoencoder(network);
  for (const Node& node : exact->nodes()) CHECK(node.op->name != "round_bf16");
}

TEST_CASE("products of few rows, columns or channels stay f32") {
  const auto is_rounded = [](Shape a, Shape b, const char* op) {
    Builder builder(ops::registry());
    const NodeId x = builder.add("input", {}, {{"shape", std::move(a)}}, {.name = "x"});
    const NodeId w = builder.add("param", {}, {{"shape", std::move(b)}}, {.name = "w"});
    builder.output("y", builder.add(op, {x, w}));
    PassOptions options;
    options.precision = Precision::bf16;
    const Graph graph = make_executable(std::move(builder).finish(), ops::registry(), options);
    return graph.node(graph.node(graph.output("y")).inputs[0]).op->name == "round_bf16";
  };
  const auto k = [](std::int64_t extent) { return Dim::number(extent); };
  CHECK(is_rounded({Dim::batch(), k(32)}, {k(32), k(32)}, "matmul"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(31)}, {k(31), k(64)}, "matmul"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(64)}, {k(64), k(2)}, "matmul"));
  CHECK(is_rounded({Dim::batch(), k(9), k(9), k(16)}, {k(3), k(3), k(16), k(32)}, "convolution"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(9), k(9), k(1)}, {k(3), k(3), k(1), k(32)}, "convolution"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(9), k(9), k(16)}, {k(3), k(3), k(16), k(3)}, "convolution"));
}

TEST_CASE("products of a loss and its gradients stay f32") {
  Builder builder(ops::registry());
  const auto input = [&](const char* name) {
    return Term(builder,
                builder.add("input", {}, {{"shape", Shape{Dim::batch(), Dim::number(32)}}}, {.name = name}));
  };
  const Term x = input("x");
  const auto product = [&](const char* path) {
    const auto origin = std::make_shared<const Origin>(Origin{.path = path, .where = {}, .notes = {}});
    return builder.add("matmul", {x.id(), x.id()}, {{"transpose_a", true}}, {.origin = origin});
  };
  for (const char* const path : {"enc", "loss.mmd", "metric.mmd", "losses.mmd"})
    builder.output(path, product(path));
  PassOptions options;
  options.precision = Precision::bf16_emulated;
  const Graph graph = make_executable(std::move(builder).finish(), ops::registry(), options);
  const auto reads = [&](const char* output) {
    return graph.node(graph.node(graph.output(output)).inputs[0]).op->name;
  };
  CHECK(reads("enc") == "round_bf16");
  CHECK(reads("losses.mmd") == "round_bf16");
  CHECK(reads("loss.mmd") == "input");
  CHECK(reads("metric.mmd") == "input");
}

// ---- Steps ----

TEST_CASE("a step with emulated bf16 agrees with the f64 reference of its graph") {
  const auto graph = autoencoder([] {
    NetworkShape shape = at(Precision::bf16_emulated);
    shape.noise = false;
    return shape;
  }());
  for (const Precision precision : {Precision::bf16_emulated, Precision::bf16}) {
    if (precision == Precision::bf16 && !has_bf16()) continue;
    CAPTURE(to_string(precision));
    Session session(ops::registry(), ops::kernels(), with(precision));
    const ProgramId program = session.add(graph);
    session.variables().initialise(7);
    HostVariables exact = graphrun::testing::host_variables(session.variables());
    const auto inputs = graphrun::testing::batch_values(rows, network.widths.front(), 3);
    float loss = 0;
    std::vector<Fetch> fetches = {{"loss", std::as_writable_bytes(std::span(&loss, 1))}};
    const std::vector<Feed> feeds = inputs.feeds();
    Run run;
    run.batch = rows;
    run.feeds = feeds;
    run.fetches = fetches;
    session.run(program, run);
    const auto expected = interpret(*graph, exact, {rows, inputs.host(), {}});
    CHECK(std::abs(loss - expected[graph->output("loss")].values[0]) < 1e-5 * loss);
  }
}

TEST_CASE("a step with bf16 has the same bits at any number of threads") {
  constexpr int steps = 20;
  for (const Precision precision : {Precision::bf16_emulated, Precision::bf16}) {
    if (precision == Precision::bf16 && !has_bf16()) continue;
    const std::vector<float> expected = trained(precision, with(precision), steps);
    for (const int threads : {2, 3, 8}) {
      CAPTURE(to_string(precision), threads);
      CHECK(same_bits(trained(precision, with(precision, ExecutorKind::threads, threads), steps), expected));
    }
    SessionOptions separate = with(precision, ExecutorKind::threads, 4);
    separate.lowering.memory_sharing = false;
    CHECK(same_bits(trained(precision, separate, steps), expected));
  }
}

TEST_CASE("training with bf16, emulated or not, stays close to f32") {
  constexpr int steps = 50;
  const std::vector<float> exact = trained(Precision::f32, with(Precision::f32), steps);
  for (const Precision precision : {Precision::bf16_emulated, Precision::bf16}) {
    if (precision == Precision::bf16 && !has_bf16()) continue;
    CAPTURE(to_string(precision));
    const std::vector<float> near = trained(precision, with(precision), steps);
    CHECK_FALSE(same_bits(near, exact));
    for (int step = 0; step < steps; ++step)
      CHECK(std::abs(near[static_cast<std::size_t>(step)] / exact[static_cast<std::size_t>(step)] - 1) <
            5e-3);
  }
}

TEST_CASE("what products read is stored as bf16, and products run by instructions for it") {
  if (!has_bf16()) return;
  const auto graph = autoencoder(at(Precision::bf16));
  LoweringOptions options;
  options.precision = Precision::bf16_emulated;
  const auto emulated = lower(graph, rows, ops::kernels(), options);
  options.precision = Precision::bf16;
  const auto plan = lower(graph, rows, ops::kernels(), options);
  CHECK(plan->statistics.workspace_bytes < emulated->statistics.workspace_bytes);
  CHECK(plan->warnings.empty());
  for (const Unit& unit : plan->units) {
    if (unit.call == nullptr) CHECK(plan->implementation(unit).find("bf16") != std::string::npos);
  }
  options.keep_values = true;
  CHECK(lower(graph, rows, ops::kernels(), options)->values.size() > 0);
}

TEST_CASE("a product that reads a number known beforehand, or what is wanted as well, reads f32") {
  if (!has_bf16()) return;
  for (const bool constant : {false, true}) {
    CAPTURE(constant);
    Builder builder(ops::registry());
    const Shape shape = {Dim::batch(), Dim::number(2)};
    const Term x(builder, builder.add("input", {}, {{"shape", shape}}, {.name = "x"}));
    const NodeId read = builder.add("round_bf16", {x.id()});
    const NodeId w = constant ? builder.add("constant", {},
                                            {{"values", std::vector<double>{1, 2, 3, 4}},
                                             {"shape", Shape{Dim::number(2), Dim::number(2)}}})
                              : builder.add("param", {}, {{"shape", Shape{Dim::number(2), Dim::number(2)}}},
                                            {.name = "w"});
    const NodeId y = builder.add("matmul", {read, builder.add("round_bf16", {w})});
    builder.output("y", y);
    if (!constant) builder.output("read", read);
    LoweringOptions options;
    options.precision = Precision::bf16;
    const auto plan =
        lower(std::make_shared<const Graph>(std::move(builder).finish()), 4, ops::kernels(), options);
    for (const Unit& unit : plan->units) {
      if (unit.call == nullptr) CHECK(plan->implementation(unit).find("bf16") == std::string::npos);
    }
  }
}
