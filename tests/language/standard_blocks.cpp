#include "ops/standard_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "autograd/prepare.hpp"
#include "graph/interpreter.hpp"
#include "graph/op.hpp"
#include "language/build.hpp"
#include "ops/op.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"

using namespace graphrun;

namespace {

/// A model of inputs a, b [batch, 2] and y [batch] labels, with one node `out`.
ModelDefinition model_of(const std::string& node) {
  const std::string text =
      "graphrun: 1\n"
      "inputs: {a: {shape: [batch, 2]}, b: {shape: [batch, 2]}, y: {from: labels}}\n"
      "nodes:\n  out: " +
      node + "\noutputs: {out: out}\n";
  return parse_model(text, "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
}

using Values = std::vector<double>;

struct Point {
  Values a = {};
  Values b = {};
  Values y = {};
  HostVariables variables = {};
};

HostTensor run(const ModelDefinition& model, Point point, Mode mode = Mode::train,
               const std::string& output = "outputs.out", std::uint64_t step = 1) {
  const Graph graph = prepare(model.graph, ops::registry(), mode);
  InterpreterRun run;
  run.batch = static_cast<std::int64_t>(point.a.size()) / 2;
  point.b.resize(point.a.size());
  point.y.resize(point.a.size() / 2);
  run.feeds["a"] = {{run.batch, 2}, point.a};
  run.feeds["b"] = {{run.batch, 2}, point.b};
  run.feeds["y"] = {{run.batch}, point.y};
  run.random = {7, 0, step, 0};
  return interpret(graph, point.variables, run).at(graph.output(output));
}

void check_values(const HostTensor& got, const Extents& extents, const Values& wanted) {
  CHECK(got.extents == extents);
  REQUIRE(got.values.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(got.values[i] == Approx(wanted[i]).margin(1e-12));
}

std::size_t count_ops(const Graph& graph, const std::string& op) {
  return static_cast<std::size_t>(std::count_if(graph.nodes().begin(), graph.nodes().end(),
                                                [&](const Node& node) { return node.op->name == op; }));
}

/// A thousand rows of the same number.
Values repeated(double value) {
  return Values(2000, value);
}

double share(const Values& values, double value) {
  return static_cast<double>(std::count(values.begin(), values.end(), value)) /
         static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("the standard blocks of the library are those of ops/std.yaml") {
  std::ifstream file(testing::in_source("/ops/std.yaml"), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  REQUIRE(!text.empty());
  CHECK(ops::standard_blocks() == text);
}

TEST_CASE("dense computes act(x @ w + b)") {
  HostVariables variables;
  variables["out.w"] = {{2, 3}, {1, 2, 3, 4, 5, 6}};
  variables["out.b"] = {{3}, {0.5, -1, -100}};
  const ModelDefinition model = model_of("{op: dense, in: a, units: 3, act: relu}");
  check_values(run(model, {.a = {1, 2, -1, 1}, .variables = variables}), {2, 3}, {9.5, 11, 0, 3.5, 2, 0});
  const ModelDefinition without = model_of("{op: dense, in: a, units: 3, bias: false}");
  variables.erase("out.b");
  check_values(run(without, {.a = {1, 2}, .variables = variables}), {1, 3}, {9, 12, 15});
}

TEST_CASE("a tied dense takes the other's weight transposed, with its own bias") {
  HostVariables variables;
  variables["out.w"] = {{2, 3}, {1, 2, 3, 4, 5, 6}};
  variables["out.b"] = {{3}, {0, 0, 0}};
  variables["back.b"] = {{2}, {10, 20}};
  const ModelDefinition model = parse_model(
      "graphrun: 1\ninputs: {a: {shape: [batch, 2]}}\nnodes:\n  out: {op: dense, in: a, units: 3}\n"
      "  back: {op: dense, in: out, units: 2, tie: out}\noutputs: {out: back}\n",
      "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
  CHECK(model.graph.node(model.graph.find("out.w").value()).op->traits.variable);
  const Graph graph = prepare(model.graph, ops::registry(), Mode::train);
  CHECK(count_ops(graph, "param") == 3);  // out.w, out.b, back.b
  InterpreterRun at;
  at.feeds["a"] = {{1, 2}, {1, 0}};
  // a @ w = [1, 2, 3]; @ w^T = [1 + 4 + 9, 4 + 10 + 18]
  check_values(interpret(graph, variables, at).at(graph.output("outputs.out")), {1, 2}, {24, 52});
}

TEST_CASE("conv2d computes act(convolution(x, w) + b), and conv_transpose2d its adjoint") {
  const auto layer = [](const std::string& node, const std::string& image) {
    return parse_model("graphrun: 1\ninputs: {a: {shape: [batch, 2]}}\nnodes:\n" + image + "  out: " + node +
                           "\noutputs: {out: out}\n",
                       "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
  };
  const std::string wide = "  x: {op: reshape, in: a, shape: [batch, 1, 2, 1]}\n";
  HostVariables variables;
  variables["out.w"] = {{1, 1, 1, 2}, {3, -1}};
  variables["out.b"] = {{2}, {0.5, 0}};
  check_values(run(layer("{op: conv2d, in: x, channels: 2, kernel: 1, act: relu}", wide),
                   {.a = {1, 2}, .variables = variables}),
               {1, 1, 2, 2}, {3.5, 0, 6.5, 0});
  variables.erase("out.b");
  variables["out.w"] = {{2, 2, 1, 2}, {1, 10, 2, 20, 3, 30, 4, 40}};
  const std::string deep = "  x: {op: reshape, in: a, shape: [batch, 1, 1, 2]}\n";
  check_values(run(layer("{op: conv_transpose2d, in: x, channels: 1, kernel: 2, pad: 0, bias: false}", deep),
                   {.a = {1, 1}, .variables = variables}),
               {1, 2, 2, 1}, {11, 22, 33, 44});
}

TEST_CASE("conv1d and conv_transpose1d go over the length of series") {
  const auto layer = [](const std::string& node) {
    return parse_model(
        "graphrun: 1\ninputs: {a: {shape: [batch, 2]}}\nnodes:\n  x: {op: reshape, in: a, shape: [batch, 2, "
        "1]}\n"
        "  out: " +
            node + "\noutputs: {out: out}\n",
        "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
  };
  HostVariables variables;
  variables["out.w"] = {{1, 3, 1, 2}, {1, -1, 10, -10, 100, -100}};
  variables["out.b"] = {{2}, {0.5, 0}};
  // One zero before and two behind: windows 0 1 2, 1 2 0, 2 0 0.
  check_values(run(layer("{op: conv1d, in: x, channels: 2, pad: [1, 2], act: relu}"),
                   {.a = {1, 2}, .variables = variables}),
               {1, 3, 2}, {210.5, 0, 21.5, 0, 2.5, 0});
  variables.erase("out.b");
  variables["out.w"] = {{1, 2, 1, 1}, {1, 10}};
  check_values(run(layer("{op: conv1d, in: x, channels: 1, kernel: 2, dilation: 1, stride: 2, bias: false}"),
                   {.a = {1, 2}, .variables = variables}),
               {1, 1, 1}, {21});
  check_values(run(layer("{op: conv_transpose1d, in: x, channels: 1, kernel: 2, pad: 0, bias: false}"),
                   {.a = {1, 2}, .variables = variables}),
               {1, 4, 1}, {1, 10, 2, 20});
}

TEST_CASE("lstm and gru pass over masked steps, and `last` is the state after the last one") {
  const auto layer = [](const std::string& cell, const std::string& output) {
    return parse_model(
        "graphrun: 1\ninputs: {a: {shape: [batch, 2]}, b: {shape: [batch, 2]}}\nnodes:\n"
        "  x: {op: reshape, in: a, shape: [batch, 2, 1]}\n"
        "  out: {op: masked_" +
            cell + ", in: [x, b], units: 1}\noutputs: {out: out" + output + "}\n",
        "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
  };
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  HostVariables variables;
  variables["out.w"] = {{1, 4}, {1, 2, 3, 4}};
  variables["out.u"] = {{1, 4}, {1, 1, 1, 1}};
  variables["out.b"] = {{4}, {0.1, 0.2, 0.3, 0.4}};
  // From nothing: the forget gate has nothing to keep.
  const double h = sigmoid(4.4) * std::tanh(sigmoid(1.1) * std::tanh(3.3));
  check_values(run(layer("lstm", ""), {.a = {1, 5}, .b = {1, 0}, .variables = variables}), {1, 2, 1}, {h, h});
  check_values(run(layer("lstm", ".last"), {.a = {5, 1}, .b = {0, 1}, .variables = variables}), {1, 1}, {h});
  variables["out.w"] = {{1, 3}, {1, 2, 3}};
  variables["out.u"] = {{1, 3}, {1, 1, 1}};
  variables["out.b"] = {{3}, {0.1, 0.2, 0.3}};
  variables["out.recurrent"] = {{3}, {0.5, 0.6, 0.7}};
  const double value = std::tanh(3.3 + sigmoid(1.6) * 0.7);
  const double g = (1 - sigmoid(2.8)) * value;
  check_values(run(layer("gru", ""), {.a = {1, 5}, .b = {1, 0}, .variables = variables}), {1, 2, 1}, {g, g});
  check_values(run(layer("gru", ".last"), {.a = {5, 1}, .b = {0, 1}, .variables = variables}), {1, 1}, {g});
}

TEST_CASE("batch_norm normalises by the batch in training, by its averages elsewhere") {
  const ModelDefinition model = model_of("{op: batch_norm, in: a, epsilon: 1.0e-30}");
  HostVariables variables;
  variables["out.gain"] = {{2}, {1, 10}};
  variables["out.shift"] = {{2}, {0, 5}};
  const Values a = {1, 4, 3, 8};  // columns of mean 2 and 6, variance 1 and 4
  check_values(run(model, {.a = a, .variables = variables}), {2, 2}, {-1, -5, 1, 15});
  variables["out.mean"] = {{2}, {1, 0}};
  variables["out.variance"] = {{2}, {4, 1}};
  check_values(run(model, {.a = a, .variables = variables}, Mode::evaluate), {2, 2}, {0, 45, 1, 85});
  CHECK(!model.graph.node(model.graph.find("out.mean").value()).attributes.flag("trainable"));
}

TEST_CASE("layer_norm normalises each sample") {
  HostVariables variables;
  variables["out.gain"] = {{2}, {1, 10}};
  variables["out.shift"] = {{2}, {0, 5}};
  check_values(
      run(model_of("{op: layer_norm, in: a, epsilon: 1.0e-30}"), {.a = {1, 3, 9, 1}, .variables = variables}),
      {2, 2}, {-1, 15, 1, -5});
}

TEST_CASE("pairwise_distance compares all vectors with all rows, argmin finds the nearest") {
  const Point point = {.a = {0, 0, 3, 4}, .b = {0, 1, 3, 4}};
  check_values(run(model_of("pairwise_distance(a, b)"), point), {2, 2}, {1, 25, 18, 0});
  check_values(run(model_of("argmin(pairwise_distance(a, b))"), point), {2}, {0, 1});
  check_values(run(model_of("argmin(a)"), {.a = {5, 5, 2, 1}}), {2}, {0, 1});
  const ModelDefinition grid = parse_model(
      "graphrun: 1\ninputs: {a: {shape: [batch, 2]}}\nnodes:\n"
      "  x: {op: reshape, in: a, shape: [batch, 2, 1, 1]}\n"
      "  rows: {op: constant, values: [0, 1, 3], shape: [3, 1]}\n"
      "  out: pairwise_distance(x, rows)\noutputs: {out: out}\n",
      "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
  check_values(run(grid, {.a = {1, 2}}), {1, 2, 1, 3}, {1, 0, 4, 4, 1, 1});
}

TEST_CASE("dense starts as PyTorch's linear layer does, other starts leave the bias at zero") {
  const auto initializer = [](const ModelDefinition& model, const std::string& name) {
    return to_string(model.graph.node(model.graph.find(name).value()).attributes.initializer("init"));
  };
  const ModelDefinition torch = model_of("{op: dense, in: a, units: 3}");
  CHECK(initializer(torch, "out.w") == "torch_linear");
  const Initializer bias = torch.graph.node(torch.graph.find("out.b").value()).attributes.initializer("init");
  CHECK(bias.name == "uniform");
  REQUIRE(bias.arguments.size() == 2);
  CHECK(bias.arguments[0].second == Approx(-1 / std::sqrt(2.0)));
  CHECK(bias.arguments[1].second == Approx(1 / std::sqrt(2.0)));
  const ModelDefinition he = model_of("{op: dense, in: a, units: 3, init: he_normal}");
  CHECK(initializer(he, "out.w") == "he_normal");
  for (const auto& [name, value] :
       he.graph.node(he.graph.find("out.b").value()).attributes.initializer("init").arguments) {
    INFO(name);
    CHECK(value == 0);
  }
}

TEST_CASE("formulas of labels compute whole numbers, and numbers beside them are whole too") {
  const Point point = {.a = {1, 2, 3, 4, 5, 6}, .y = {0, 5, 16777217}};
  const ModelDefinition model = model_of("(y + 3) % 4 - y / 2");
  CHECK(model.graph.node(*model.role("out")).type.dtype == DType::i32);
  check_values(run(model, point), {3}, {3, -2, -8388608});
  const ModelDefinition chosen = model_of("where(y > 4 and not y == 5, y, -1)");
  CHECK(chosen.graph.node(*chosen.role("out")).type.dtype == DType::i32);
  check_values(run(chosen, point), {3}, {-1, -1, 16777217});
  check_values(run(model_of("a % 2 or a > 3"), point), {3, 2}, {1, 0, 1, 1, 1, 1});
  check_values(run(model_of("where(y == 5, sum(a, axis=1), 0.5)"), point), {3}, {0.5, 7, 0.5});
}

TEST_CASE("flatten and mean") {
  check_values(run(model_of("flatten(reshape(a, shape=[batch, 2, 1]))"), {.a = {1, 2, 3, 4}}), {2, 2},
               {1, 2, 3, 4});
  check_values(run(model_of("mean(a)"), {.a = {1, 2, 3, 6}}), {}, {3});
  check_values(run(model_of("mean(a, axis=0)"), {.a = {1, 2, 3, 6}}), {2}, {2, 4});
  check_values(run(model_of("mean(a, axis=1)"), {.a = {1, 2, 3, 6}}), {2}, {1.5, 4.5});
  check_values(run(model_of("{op: mean, in: a, axis: [0, 1], keepdims: true}"), {.a = {1, 2, 3, 6}}), {1, 1},
               {3});
}

TEST_CASE("losses of known numbers, an element or a row each") {
  check_values(run(model_of("mse(a, b)"), {.a = {1, 2}, .b = {0, 4}}), {1, 2}, {1, 4});
  check_values(run(model_of("bce(a, b)"), {.a = {0.25, 0.9}, .b = {1, 0.3}}), {1, 2},
               {std::log(4.0), -(0.3 * std::log(0.9) + 0.7 * std::log(0.1))});
  // As PyTorch has it, no logarithm is below -100.
  check_values(run(model_of("bce(a, b)"), {.a = {0, 1}, .b = {1, 1}}), {1, 2}, {100, 0});
  check_values(run(model_of("bce_with_logits(a, b)"), {.a = {2, -800}, .b = {0.3, 1}}), {1, 2},
               {std::log1p(std::exp(2.0)) - 0.6, 800});
  check_values(run(model_of("cross_entropy(a, y)"), {.a = {1, 3, 2, 2}, .y = {0, 1}}), {2},
               {std::log1p(std::exp(2.0)), std::log(2.0)});
  check_values(run(model_of("gaussian_kl(a, b)"), {.a = {0, 1}, .b = {0, 1}}), {1, 2},
               {0, 0.5 * (std::exp(1.0) - 1)});
}

TEST_CASE("metrics of known numbers") {
  check_values(run(model_of("accuracy(a, y)"), {.a = {1, 3, 5, 2}, .y = {1, 1}}), {2}, {1, 0});
  check_values(run(model_of("psnr(a, b)"), {.a = {0.5, 0.5, 1, 1}, .b = {0.4, 0.6, 1, 1}}), {2}, {20, 130});
}

TEST_CASE("a loss term reduces as its block says, and averages over the batch") {
  const auto loss = [](const std::string& term) {
    const ModelDefinition model = parse_model(
        "graphrun: 1\ninputs: {a: {shape: [batch, 2]}, b: {shape: [batch, 2]}, y: {from: labels}}\n"
        "nodes: {out: a}\noutputs: {out: out}\nloss: {term: " +
            term + "}\n",
        "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
    return run(model, {.a = {1, 2, 3, 4}, .b = {0, 0, 0, 0}}, Mode::train, "loss").values.at(0);
  };
  CHECK(loss("{op: mse, in: [a, b]}") == Approx(30.0 / 4));
  CHECK(loss("{op: mse, in: [a, b], reduce: sum}") == Approx(30.0 / 2));
  CHECK(loss("{op: gaussian_kl, in: [a, b]}") == Approx(0.5 * 30 / 2));
  CHECK(loss("{op: gaussian_kl, in: [a, b], reduce: mean}") == Approx(0.5 * 30 / 4));
}

TEST_CASE("bce of a sigmoid layer becomes that of its logits") {
  const ModelDefinition model = parse_model(
      "graphrun: 1\ninputs: {a: {shape: [batch, 2]}}\n"
      "nodes: {recon: {op: dense, in: a, units: 2, act: sigmoid}}\noutputs: {image: recon}\n"
      "loss: {term: {op: bce, in: [recon, a]}}\n",
      "test.yaml", {}, {&ops::registry(), ops::standard_blocks()});
  const Graph graph = prepare(model.graph, ops::registry(), Mode::train);
  CHECK(count_ops(graph, "log") == 0);
  CHECK(count_ops(graph, "softplus") == 1);
  CHECK(count_ops(graph, "sigmoid") == 1);  // the image
}

TEST_CASE("noise corrupts in training, and in evaluation when it always does") {
  for (const std::string block : {"gaussian_noise", "masking", "salt_pepper", "dropout"}) {
    INFO(block);
    const ModelDefinition model = model_of("{op: " + block + ", in: a, amount: 0.4}");
    const Values input = repeated(0.5);
    CHECK(run(model, {.a = input}, Mode::evaluate).values == input);
    const Values first = run(model, {.a = input}).values;
    CHECK(first != input);
    CHECK(run(model, {.a = input}).values == first);
    CHECK(run(model, {.a = input}, Mode::train, "outputs.out", 2).values != first);
    const ModelDefinition always = model_of("{op: " + block + ", in: a, amount: 0.4, when: always}");
    CHECK(run(always, {.a = input}, Mode::evaluate).values != input);
  }
}

TEST_CASE("noise has the strength that it is given") {
  const auto noisy = [](const std::string& block) {
    return run(model_of("{op: " + block + ", in: a, amount: 0.4}"), {.a = repeated(0.5)}).values;
  };
  const Values masked = noisy("masking");
  CHECK(share(masked, 0) == Approx(0.4).margin(0.05));
  CHECK(share(masked, 0) + share(masked, 0.5) == Approx(1));
  const Values salted = noisy("salt_pepper");
  CHECK(share(salted, 0) == Approx(0.2).margin(0.04));
  CHECK(share(salted, 1) == Approx(0.2).margin(0.04));
  CHECK(share(salted, 0) + share(salted, 1) + share(salted, 0.5) == Approx(1));
  const Values dropped = noisy("dropout");
  CHECK(share(dropped, 0) == Approx(0.4).margin(0.05));
  CHECK(share(dropped, 0) + share(dropped, 0.5 / (1 - 0.4)) == Approx(1));
  double sum = 0;
  double squares = 0;
  for (const double value : noisy("gaussian_noise")) {
    sum += value - 0.5;
    squares += (value - 0.5) * (value - 0.5);
  }
  CHECK(sum / 2000 == Approx(0).margin(0.04));
  CHECK(std::sqrt(squares / 2000) == Approx(0.4).margin(0.03));
}
