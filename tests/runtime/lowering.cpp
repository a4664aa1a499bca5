// Groups: which nodes are computed together, and by what.
#include "runtime/lower/lowering.hpp"

#include <string>

#include "graph/interpreter.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/lower/lower.hpp"
#include "tests/runtime/lowered.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using namespace graphrun::runtime::testing;

namespace {

/// x, w, b -> tanh(x @ w + b), its mean square, and what an update of nothing reads.
std::shared_ptr<const Graph> one_layer() {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(8)}}}, {.name = "x"}));
  const Term w(builder, builder.add("param", {}, {{"shape", Shape{k(8), k(4)}}}, {.name = "w"}));
  const Term b(builder, builder.add("param", {}, {{"shape", Shape{k(4)}}}, {.name = "b"}));
  const Term z = call("matmul", {x, w}, {}, {.name = "z"});
  const Term s(builder, builder.add("add", {z, b}, {}, {.name = "s"}));
  const Term h = call("tanh", {s}, {}, {.name = "h"});
  const Term square = call("square", {h}, {}, {.name = "square"});
  const Term row = call("sum", {square}, {{"axis", Axes{false, {1}}}}, {.name = "row"});
  const Term half = call("mul", {row, constant_like(row, 0.5)}, {}, {.name = "half"});
  builder.output("rows", half);
  builder.output("loss", call("sum", {half}, {}, {.name = "loss"}));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

}  // namespace

TEST_CASE("a bias rides on a product, and a chain, from its activation to its reduction, is one group") {
  CHECK(groups_of(one_layer(), 32) ==
        "0 rows product z s -> s\n"
        "1 rows elementwise h square row -> row\n"
        "2 rows elementwise half -> half\n"
        "3 whole elementwise loss -> loss\n");
}

TEST_CASE("of one row, the sum of two products rides on one of them") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(8)}}}, {.name = "x"}));
  const Term w(builder, builder.add("param", {}, {{"shape", Shape{k(8), k(4)}}}, {.name = "w"}));
  const Term v(builder, builder.add("param", {}, {{"shape", Shape{k(8), k(4)}}}, {.name = "v"}));
  const Term first = call("matmul", {x, w}, {}, {.name = "first"});
  const Term second = call("matmul", {x, v}, {}, {.name = "second"});
  builder.output("sum", call("add", {first, second}, {}, {.name = "sum"}));
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  CHECK(groups_of(graph, 1) ==
        "0 rows product second -> second\n"
        "1 rows product first sum -> sum\n");
  CHECK(groups_of(graph, 2) ==
        "0 rows product first -> first\n"
        "1 rows product second -> second\n"
        "2 rows elementwise sum -> sum\n");
}

TEST_CASE("a layer of series runs as one of rows: bias and activation ride on one product of all steps") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(5), k(6)}}}, {.name = "x"}));
  const Term w(builder, builder.add("param", {}, {{"shape", Shape{k(6), k(4)}}}, {.name = "w"}));
  const Term b(builder, builder.add("param", {}, {{"shape", Shape{k(4)}}}, {.name = "b"}));
  const Term z = call("matmul", {x, w}, {}, {.name = "z"});
  const Term s = call("add", {z, b}, {}, {.name = "s"});
  builder.output("h", call("tanh", {s}, {}, {.name = "h"}));
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  CHECK(groups_of(graph, 32) == "0 rows product z s h -> h\n");
}

TEST_CASE("an activation rides on its product when anything but a chain reads it") {
  const auto graph = graphrun::testing::autoencoder({.widths = {8, 4}, .training = false});
  const std::string groups = groups_of(graph, 32);
  INFO(groups);
  for (const auto* op : {"tanh", "sigmoid"}) {
    const std::string line = line_with(groups, op);
    CHECK(line.find("rows product") != std::string::npos);
  }
}

namespace {

/// The gradients of a layer with their readers; `late` puts the bias gradient before the product's left
/// operand, so that the product cannot make it.
std::shared_ptr<const Graph> layer_gradients(std::int64_t units, bool late, bool series) {
  Builder builder(ops::registry());
  const auto input = [&](const char* name, std::int64_t last) {
    const Shape shape = series ? Shape{n, k(6), k(last)} : Shape{n, k(last)};
    return Term(builder, builder.add("input", {}, {{"shape", shape}}, {.name = name}));
  };
  const auto rows = [&](const Term& all, std::int64_t last) {
    return series ? call("reshape", {all}, {{"shape", Shape{Dim{6, 0}, k(last)}}}) : all;
  };
  const Term x = input("x", 40);
  const Term g = input("g", units);
  const Axes all_but_last{false, series ? std::vector<std::int64_t>{1, 0} : std::vector<std::int64_t>{0}};
  const Term bias = call("sum", {g}, {{"axis", all_but_last}}, {.name = "bias"});
  const Term left = late ? x * (0.01 * call("sum", {bias}, {})) : x;
  const Term weight =
      call("matmul", {rows(left, 40), rows(g, units)}, {{"transpose_a", true}}, {.name = "weight"});
  builder.output("bias", bias);
  builder.output("weight", weight);
  builder.output("reader", call("tanh", {bias * 0.01}));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

}  // namespace

TEST_CASE("a bias gradient is summed by the product that makes the weight gradient") {
  for (const std::int64_t units : {3, 16, 40, 100}) {
    for (const auto& [late, series] :
         {std::pair{false, false}, std::pair{true, false}, std::pair{false, true}, std::pair{true, true}}) {
      CAPTURE(units, late, series);
      const auto graph = layer_gradients(units, late, series);
      const bool sums = detected_isa() != Isa::baseline;
      const std::string line = line_with(groups_of(graph, 50), "product");
      CHECK((line.find("bias") != std::string::npos) == (sums && !late));
      const auto inputs = random_inputs(*graph, 50, 3);
      HostVariables none;
      const auto exact = interpret(*graph, none, {50, inputs.host(), {}});
      const auto values = outputs_of(graph, 50, inputs, {});
      for (std::size_t i = 0; i < values.size(); ++i) {
        CHECK(near(values[i], exact[graph->outputs()[i].node].values));
      }
    }
  }
}

TEST_CASE("a value that is stretched costs nothing inside a group") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(8)}}}, {.name = "x"}));
  const Term s(builder, builder.add("input", {}, {{"shape", Shape{n, k(1)}}}, {.name = "s"}));
  const Term wide = call("broadcast_to", {s}, {{"shape", Shape{n, k(8)}}}, {.name = "wide"});
  const Term y = call("tanh", {x * wide}, {}, {.name = "y"});
  builder.output("y", y);
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  CHECK(groups_of(graph, 32) == "0 rows elementwise wide mul:3 y -> y\n");
}

TEST_CASE("without fusion and post-ops every node is a group") {
  LoweringOptions options;
  options.fusion = false;
  options.post_ops = false;
  CHECK(groups_of(one_layer(), 32, options) ==
        "0 rows product z -> z\n"
        "1 rows elementwise s -> s\n"
        "2 rows elementwise h -> h\n"
        "3 rows elementwise square -> square\n"
        "4 rows elementwise row -> row\n"
        "5 rows elementwise half -> half\n"
        "6 whole elementwise loss -> loss\n");
}

TEST_CASE(
    "with oneDNN every product and every lone function is one of its primitives, and nothing else changes") {
  const auto graph = graphrun::testing::autoencoder({.widths = {130, 601, 33}});
  LoweringOptions options;
  options.provider = ProviderChoice::onednn;
  const auto library = lower(graph, 160, ops::kernels(), options);
  options.provider = ProviderChoice::tiles;
  const auto tiles = lower(graph, 160, ops::kernels(), options);
  CHECK(library->groups == tiles->groups);
  std::size_t gradients = 0;
  for (const Unit& unit : library->units) {
    const std::string primitive = library->implementation(unit);
    CAPTURE(graph->node(unit.node).name, primitive);
    if (unit.call == nullptr) {
      CHECK(primitive.starts_with("oneDNN "));
    } else if (graph->node(unit.node).op->name == "mul" && primitive.starts_with("oneDNN ")) {
      ++gradients;
    }
  }
  CHECK(gradients >= 3 * library->statistics.slices);  // the slopes of the hidden layers
  CHECK(library->warnings.empty());
  for (const Unit& unit : tiles->units) {
    if (unit.call != nullptr) CHECK(tiles->implementation(unit).empty());
  }
}

TEST_CASE("a function that stands alone runs in oneDNN when that was asked for") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(70)}}}, {.name = "x"}));
  for (const char* op : {"tanh", "sigmoid", "gelu", "softplus", "relu", "exp"})
    builder.output(op, call(op, {x}));
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  LoweringOptions options;
  options.fusion = false;
  options.provider = ProviderChoice::onednn;
  const auto plan = lower(graph, 37, ops::kernels(), options);
  std::size_t primitives = 0;
  for (const std::string& name : plan->implementations) primitives += name.empty() ? 0U : 1U;
  CHECK(primitives == 4);  // relu hides NaN there, exp has no name here
  const auto inputs = random_inputs(*graph, 37, 3);
  HostVariables none;
  const auto exact = interpret(*graph, none, {37, inputs.host(), {}});
  const auto values = outputs_of(graph, 37, inputs, options);
  for (std::size_t i = 0; i < values.size(); ++i)
    CHECK(near(values[i], exact[graph->outputs()[i].node].values));
}
