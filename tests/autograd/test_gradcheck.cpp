
#include "autograd/gradcheck.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

/// The ops of the language, where the vjp of tanh is off by one part in a thousand.
const OpRegistry& faulty_registry() {
  static const OpRegistry registry = [] {
    std::vector<OpDef> ops = ops::registry().ops();
    for (OpDef& op : ops) {
      if (op.name != "tanh") continue;
      op.gradient = Vjp([](VjpContext& context) -> Gradients {
        const Term y(context.builder, context.output);
        const Term g(context.builder, context.cotangent);
        return {g * (1.001 - call("square", {y}))};
      });
    }
    return OpRegistry(std::move(ops));
  }();
  return registry;
}

Graph rebuilt(const Graph& graph, const OpRegistry& registry) {
  Builder builder(registry);
  for (const Node& node : graph.nodes()) builder.add_like(node, node.inputs, node.controls);
  for (const NamedOutput& output : graph.outputs()) builder.output(output.name, output.node);
  return std::move(builder).finish();
}

Graph one_layer(std::int64_t width) {
  Maker m;
  const Term x = m.input("x", batch_of({width}));
  const Term w = m.param("w", shape({width, 3}));
  const Term b = m.param("b", shape({3}));
  const Term h = call("tanh", {matmul(x, w) + b});
  m.output("y", sum(call("square", {h})));
  return m.finish();
}

GradientCheck check_at(Graph graph, double x, const GradientCheckOptions& options = {}) {
  HostVariables variables;
  variables["x"] = {{}, {x}};
  return check_gradients(graph, ops::registry(), "y", {"x"}, variables, {}, options).at(0);
}

Graph relu_of_parameter() {
  Maker m;
  m.output("y", call("relu", {m.param("x", {})}) * 3.0);
  return m.finish();
}

}  // namespace

TEST_CASE("the gradient checker passes right gradients") {
  for (const std::int64_t width : {4, 40}) {  // element by element, and by samples and directions
    const Graph graph = one_layer(width);
    const Point point = random_point(graph, 2, 11);
    const auto checks = check_gradients(graph, ops::registry(), "y", {}, point.variables, point.run);
    REQUIRE(checks.size() == 2);
    CHECK(checks[0].name == "w");
    CHECK(checks[1].name == "b");
    CHECK(checks[0].checked == (width == 4 ? 12 : 6));
    for (const GradientCheck& check : checks) {
      CHECK(check.ok);
      CHECK(check.max_relative_error < 1e-7);
    }
  }
}

TEST_CASE("the gradient checker finds a vjp that is wrong by a thousandth") {
  for (const std::int64_t width : {4, 40}) {
    const Graph graph = rebuilt(one_layer(width), faulty_registry());
    const Point point = random_point(graph, 2, 11);
    const auto checks = check_gradients(graph, faulty_registry(), "y", {}, point.variables, point.run);
    REQUIRE(checks.size() == 2);
    for (const GradientCheck& check : checks) {
      CHECK_FALSE(check.ok);
      CHECK(check.max_relative_error > 1e-4);
      CHECK(check.kinks == 0);
      CHECK_FALSE(check.worst.empty());
    }
  }
}

TEST_CASE("the gradient checker names inputs, inner nodes and the output itself") {
  const Graph graph = one_layer(4);
  const Point point = random_point(graph, 2, 3);
  const std::string inner = graph.node(graph.output("y")).name;
  for (const GradientCheck& check :
       check_gradients(graph, ops::registry(), "y", {"x", inner}, point.variables, point.run)) {
    INFO(check.name << " " << check.analytic << " " << check.numeric);
    CHECK(check.ok);
  }
}

TEST_CASE("a fed node holds the gradient of what lies before it at zero") {
  Maker m;
  const Term w = m.param("w", {});
  const Term h = call("exp", {w}, {}, {.name = "h"});
  m.output("y", h * w);
  const Graph graph = m.finish();
  HostVariables variables;
  variables["w"] = {{}, {0.5}};
  InterpreterRun run;
  run.feeds["h"] = {{}, {3.0}};
  const auto checks = check_gradients(graph, ops::registry(), "y", {"w", "h"}, variables, run);
  CHECK(checks.at(0).ok);
  CHECK(checks.at(0).analytic == 3.0);
  CHECK(checks.at(1).ok);
  CHECK(checks.at(1).analytic == 0.5);
}

TEST_CASE("a gradient of a wrong shape is a bug that is named") {
  std::vector<OpDef> defs = ops::registry().ops();
  for (OpDef& op : defs) {
    if (op.name == "exp") {
      op.gradient = Vjp([](VjpContext& context) -> Gradients { return {context.builder.constant(1.0)}; });
    }
  }
  const OpRegistry registry(std::move(defs));
  Builder builder(registry);
  const NodeId w = builder.add("param", {}, {{"shape", shape({3})}}, {.name = "w"});
  builder.output("y", builder.add("exp", {w}));
  const Graph graph = std::move(builder).finish();
  const Point point = random_point(graph, 1, 1);
  CHECK(throws([&] { check_gradients(graph, registry, "y", {}, point.variables, point.run); },
               ErrorCode::internal, "[3] does not broadcast to []"));
}

TEST_CASE("a kink is skipped and counted, and a smooth point beside it is not") {
  const GradientCheck at_kink = check_at(relu_of_parameter(), 0.0);
  CHECK(at_kink.kinks == 1);
  CHECK(at_kink.checked == 0);
  CHECK_FALSE(at_kink.ok);  // nothing was checked
  const GradientCheck within_the_step = check_at(relu_of_parameter(), 5e-7);
  CHECK(within_the_step.ok);
  CHECK(within_the_step.checked == 1);
  const GradientCheck beside = check_at(relu_of_parameter(), 0.5);
  CHECK(beside.ok);
  CHECK(beside.kinks == 0);
}

TEST_CASE("a bent curve is not taken for a kink") {
  Maker m;
  const Term x = m.param("x", {});
  m.output("y", call("exp", {x * 20.0}));
  const GradientCheck check = check_at(m.finish(), 0.3);
  CHECK(check.kinks == 0);
  CHECK(check.ok);
}

TEST_CASE("the rounding of a large loss is not taken for a wrong gradient, nor for a kink") {
  Maker m;
  const Term w = m.param("w", shape({40}));
  m.output("y", sum(call("tanh", {w})) * 1e-3 + 1e4);
  const Graph graph = m.finish();
  const Point point = random_point(graph, 1, 5);
  const GradientCheck check =
      check_gradients(graph, ops::registry(), "y", {}, point.variables, point.run).at(0);
  CHECK(check.ok);
  CHECK(check.kinks == 0);
  CHECK(check.checked == 40);
}

TEST_CASE("the whole cotangent is checked, not only a sum") {
  // These weights always sum to one: a unit cotangent would see a gradient of zero whatever the vjps do.
  Maker m;
  const Term x = m.param("x", shape({5}));
  const Term e = call("exp", {x});
  m.output("y", e / call("sum", {e}, {{"keepdims", true}}));
  const Graph graph = m.finish();
  const Point point = random_point(graph, 1, 5);
  const auto checks = check_gradients(graph, ops::registry(), "y", {}, point.variables, point.run);
  CHECK(checks.at(0).ok);
  CHECK(std::abs(checks.at(0).analytic) > 1e-3);
}

TEST_CASE("a mark for gradients is taken at its word") {
  Maker held;
  const Term x = held.param("x", {});
  held.output("y", call("stop_gradient", {call("square", {x})}) * x);
  const GradientCheck stopped = check_at(held.finish(), 3);
  CHECK(stopped.ok);
  CHECK(stopped.analytic == Approx(9));  // and not 27

  Maker passed;
  const Term z = passed.param("x", {});
  const Term rounded = call("step", {z});
  passed.output("y", call("square", {call("straight_through", {rounded, z * 5.0})}));
  const GradientCheck through = check_at(passed.finish(), 3);
  CHECK(through.ok);
  CHECK(through.analytic == Approx(2 * 1 * 5));
}

TEST_CASE("random nodes draw the same at every evaluation") {
  Maker m;
  const Term w = m.param("w", shape({3}));
  const Term noise(m.builder, m.builder.add("random_normal", {}, {{"shape", shape({3})}}, {.name = "noise"}));
  m.output("y", sum(w * noise));
  const Graph graph = m.finish();
  const Point point = random_point(graph, 1, 5);
  CHECK(check_gradients(graph, ops::registry(), "y", {}, point.variables, point.run).at(0).ok);
}

TEST_CASE("what cannot be checked is said") {
  Maker m;
  const Term labels = m.input("labels", {rows()}, "i32");
  m.output("y", call("cast", {labels}, {{"dtype", std::string("f32")}}) * m.param("w", {}));
  const Graph graph = m.finish();
  const Point point = random_point(graph, 2, 1);
  const auto check = [&](const std::string& name) {
    check_gradients(graph, ops::registry(), "y", {name}, point.variables, point.run);
  };
  CHECK(throws([&] { check("nothing"); }, ErrorCode::usage, "there is no node 'nothing'"));
  CHECK(throws([&] { check("labels"); }, ErrorCode::usage, "a gradient belongs to f32 values"));
  CHECK(throws([&] { check_gradients(graph, ops::registry(), "z", {}, {}, {}); }, ErrorCode::usage,
               "there is no output 'z'"));
}

TEST_CASE("a deep autoencoder of real width is checked") {
  Maker m;
  const Term x = m.input("x", batch_of({784}));
  const std::vector<std::int64_t> sizes = {784, 1000, 500, 250, 30, 250, 500, 1000, 784};
  Term h = x;
  for (std::size_t layer = 1; layer < sizes.size(); ++layer) {
    const std::string name = "layer." + std::to_string(layer);
    const Term w = m.param(name + ".w", shape({sizes[layer - 1], sizes[layer]}));
    const Term b = m.param(name + ".b", shape({sizes[layer]}));
    h = call("tanh", {(matmul(h, w) + b) * 0.05});
  }
  m.output("y", sum(call("square", {h - x})) / 784.0);
  const Graph graph = m.finish();
  const Point point = random_point(graph, 2, 9);
  const auto checks = check_gradients(graph, ops::registry(), "y", {}, point.variables, point.run);
  CHECK(checks.size() == 16);
  for (const GradientCheck& check : checks) {
    INFO(check.name << ": " << check.worst << " analytic " << check.analytic << " numeric " << check.numeric);
    CHECK(check.ok);
    CHECK(check.kinks == 0);
  }
}
