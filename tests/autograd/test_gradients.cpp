#include <algorithm>

#include "autograd/gradcheck.hpp"
#include "autograd/gradients.hpp"
#include "graph/passes/only_output.hpp"
#include "graph/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

/// All gradients of output "y" agree with finite differences, at a random point.
void check_all(const Graph& graph, std::int64_t batch, const std::vector<std::string>& wrt = {},
               std::uint64_t seed = 7, double low = -1, double high = 1) {
  INFO("seed " << seed);
  const Point point = random_point(graph, batch, seed, low, high);
  const std::vector<GradientCheck> checks =
      check_gradients(graph, ops::registry(), "y", wrt, point.variables, point.run);
  REQUIRE_FALSE(checks.empty());
  for (const GradientCheck& check : checks) {
    INFO(check.name << ": " << check.worst << " analytic " << check.analytic << " numeric " << check.numeric);
    CHECK(check.ok);
    CHECK(check.kinks == 0);
  }
}

std::size_t count(const Graph& graph, std::string_view op) {
  return static_cast<std::size_t>(std::count_if(graph.nodes().begin(), graph.nodes().end(),
                                                [op](const Node& node) { return node.op->name == op; }));
}

/// The gradient of `y` at `x` as a graph of its own.
Graph gradient_graph(Maker maker, Term y, Term x) {
  maker.output("g", gradient(Term(maker.builder, y.id()), Term(maker.builder, x.id())));
  return only_output(expand_gradients(maker.finish(), ops::registry()), ops::registry(), "g");
}

double value(const Graph& graph, std::string_view output, Point point) {
  return interpret(graph, point.variables, point.run)[graph.output(output)].values.at(0);
}

}  // namespace

TEST_CASE("a node used twice gets the sum of both gradients") {
  SECTION("by one user: x * x") {
    Maker m;
    const Term x = m.input("x", batch_of({3}));
    m.output("y", x * x);
    check_all(m.finish(), 2, {"x"});
  }
  SECTION("by several users") {
    Maker m;
    const Term x = m.param("x", shape({4}));
    const Term a = call("tanh", {x});
    m.output("y", a * call("exp", {a}) + a * x - x);
    check_all(m.finish(), 1);
  }
  SECTION("the sum is made of add alone, one for each use beyond the first") {
    Maker m;
    const Term x = m.param("x", shape({4}));
    const Term y = call("exp", {x}) * call("tanh", {x}) + x;
    const NodeId g = append_gradients(m.builder, y, std::vector<NodeId>{x}).front();
    CHECK(m.builder.node(g).op->name == "add");
    m.output("g", Term(m.builder, g));
    const Graph graph = m.finish();
    CHECK(count(graph, "add") == 1 + 2);
  }
}

TEST_CASE("the gradient of a broadcast operand is summed down to its shape") {
  Maker m;
  const Term x = m.input("x", batch_of({5, 3}));
  SECTION("a scalar") {
    m.output("y", x * m.param("w", {}));
  }
  SECTION("a row") {
    m.output("y", x * m.param("w", shape({3})));
  }
  SECTION("a column") {
    m.output("y", x * m.param("w", shape({5, 1})));
  }
  SECTION("axes of one in front") {
    m.output("y", x * m.param("w", shape({1, 5, 3})));
  }
  SECTION("every axis one") {
    m.output("y", x * m.param("w", shape({1, 1, 1})));
  }
  SECTION("one axis kept in the middle") {
    m.output("y", x * m.param("w", shape({1, 5, 1})));
  }
  SECTION("rows behind another axis") {
    m.output("y", m.param("w", shape({3})) * m.input("z", {Dim::number(5), rows(), Dim::number(3)}));
  }
  SECTION("an inner axis of one against the batch") {
    m.output("y", m.param("w", shape({1, 3})) + m.input("z", {Dim::number(5), rows(), Dim::number(3)}));
  }
  const Graph graph = m.finish();
  check_all(graph, 2, {"w"});
  check_all(graph, 1, {"w"});
}

TEST_CASE("a sum over rows and other axes runs row by row first") {
  Maker m;
  const Term x = m.input("x", batch_of({5}));
  const Term w = m.param("w", {});
  const NodeId g = append_gradients(m.builder, x * w, std::vector<NodeId>{w}).front();
  const Node& total = m.builder.node(g);
  REQUIRE(total.op->name == "sum");
  const Node& per_row = m.builder.node(total.inputs[0]);
  REQUIRE(per_row.op->name == "sum");
  CHECK(to_string(per_row.type) == "f32[batch]");
}

TEST_CASE("what needs no gradient gets no nodes") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term w = m.param("w", shape({3, 3}));
  const Term v = m.param("v", shape({3, 3}));
  const Term y = sum(matmul(call("exp", {matmul(x, w)}), v));
  const Graph graph = gradient_graph(std::move(m), y, v);
  // Only d/dv = h^T · ones: neither the gradient of h nor that of w.
  CHECK(count(graph, "matmul") == 2);
  CHECK(count(graph, "exp") == 1);
}

TEST_CASE("a gradient that nothing reaches is zeros of the node's shape") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term w = m.param("w", shape({3, 2}));
  const Term y = call("exp", {x});
  SECTION("y does not depend on the node") {
    const NodeId g = append_gradients(m.builder, y, std::vector<NodeId>{w}).front();
    CHECK(m.builder.type(g) == m.builder.type(w));
    CHECK(m.builder.node(g).op->traits.constant);
  }
  SECTION("every way is stopped") {
    const Term stopped = call("stop_gradient", {matmul(x, w)}) * 2.0;
    const NodeId g = append_gradients(m.builder, stopped, std::vector<NodeId>{w}).front();
    CHECK(m.builder.node(g).op->traits.constant);
  }
  SECTION("the node comes after y") {
    const Term later = m.param("later", shape({7}));
    const NodeId g = append_gradients(m.builder, y, std::vector<NodeId>{later}).front();
    CHECK(to_string(m.builder.type(g)) == "f32[7]");
  }
}

TEST_CASE("stop_gradient holds a value fixed") {
  Maker m;
  const Term x = m.param("x", {});
  m.output("y", gradient(call("stop_gradient", {x}) * x, x));
  const Graph graph = expand_gradients(m.finish(), ops::registry());
  Point point;
  point.variables["x"] = {{}, {3.0}};
  CHECK(value(graph, "y", point) == 3.0);  // and 6 without it
}

TEST_CASE("gradients of gradients are charged to one budget, and the message names the node") {
  Maker m;
  const Term x = m.param("x", {});
  Term y = call("tanh", {x * x});
  for (int i = 0; i < 14; ++i) {
    auto origin = std::make_shared<Origin>();
    origin->path = "g" + std::to_string(i);
    origin->where = {"m.yaml", i + 1, 3};
    y = Term(m.builder, m.builder.add("grad", {y, x}, {}, {.name = origin->path, .origin = origin}));
  }
  m.output("y", y);
  const Graph graph = m.finish();
  Budget budget({.nodes = 5000});
  const auto error = thrown([&] { expand_gradients(graph, ops::registry(), budget); });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::model);
  CHECK(error->where().line > 4);
  CHECK(error->where().line < 14);
  CHECK(contains(error->what(), "the model is over its budget of 5000 nodes, gradients included"));
  CHECK(budget.left(Resource::nodes) < 5000);

  Budget small({.nodes = 3});
  Maker other;
  const Term w = other.param("w", {});
  const Term loss = call("exp", {call("tanh", {w})});
  CHECK_THROWS_AS(append_gradients(other.builder, loss, std::vector<NodeId>{w}, &small), OverBudget);
}

TEST_CASE("an op without a gradient is named with the reason and the way to y") {
  Maker m;
  const Term x = m.param("x", {});
  auto origin = std::make_shared<Origin>();
  origin->path = "inner";
  origin->where = {"m.yaml", 4, 3};
  const Term inner(m.builder, m.builder.add("grad", {x, x}, {}, {.name = "inner", .origin = origin}));
  const Term middle = call("exp", {inner}, {}, {.name = "middle"});
  const Term loss = call("square", {middle}, {}, {.name = "loss"});
  const std::vector<NodeId> wrt = {x};
  const auto error = thrown([&] { append_gradients(m.builder, loss, wrt); });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::model);
  CHECK(error->node() == "inner");
  CHECK(error->where().line == 4);
  const std::string what = error->what();
  INFO(what);
  CHECK(contains(what, "m.yaml:4:3: error: node 'inner' (grad): it is not differentiable: "));
  CHECK(contains(what, "along inner -> middle -> loss"));
  CHECK(contains(what, "stop_gradient"));
}

TEST_CASE("an op without a gradient is no obstacle where none is asked for") {
  Maker m;
  const Term x = m.param("x", {});
  const Term stopped = call("stop_gradient", {x});
  const Term inner = gradient(stopped, stopped);  // a placeholder, which has no gradient
  const Term y = call("exp", {inner}) * x;
  const std::size_t before = m.builder.size();
  const NodeId g = append_gradients(m.builder, y, std::vector<NodeId>{x}).front();
  CHECK(m.builder.node(g).op->name == "mul");
  CHECK(m.builder.size() == before + 2);  // ones, and ones * exp: nothing for exp itself
}

TEST_CASE("gradient nodes carry the origin of the node they serve, and its name") {
  Maker m;
  const Term x = m.param("x", shape({2}));
  auto origin = std::make_shared<Origin>();
  origin->path = "enc.1";
  const Term y(m.builder, m.builder.add("tanh", {x}, {}, {.name = "enc.1", .origin = origin}));
  const NodeId g = append_gradients(m.builder, y, std::vector<NodeId>{x}).front();
  CHECK(m.builder.node(g).origin->path == "enc.1");
  CHECK(m.builder.node(g).name == "grad/enc.1:mul");
}

TEST_CASE("second derivatives agree with finite differences of the first") {
  Maker m;
  SECTION("tanh") {
    const Term x = m.param("x", shape({4}));
    m.output("y", gradient(call("tanh", {x}), x));
  }
  SECTION("softplus, sigmoid, exp, log, square, div") {
    const Term x = m.param("x", shape({4}));
    const Term z =
        call("softplus", {x}) * call("sigmoid", {x}) + call("square", {x}) / (call("exp", {x}) + 1.0);
    m.output("y", gradient(call("log", {z + 3.0}), x));
  }
  SECTION("a chain of matmuls") {
    const Term x = m.input("x", batch_of({3}));
    const Term h = call("tanh", {matmul(x, m.param("w", shape({3, 4})))});
    const Term code = matmul(h, m.param("v", shape({2, 4})), false, true);
    m.output("y", gradient(call("square", {code}), x));
  }
  SECTION("third: grad of grad of tanh") {
    const Term x = m.param("x", shape({3}));
    m.output("y", gradient(gradient(call("tanh", {x}), x), x));
  }
  const Graph graph = m.finish();
  check_all(graph, 2);
}

TEST_CASE("a gradient penalty as in WGAN-GP trains the critic through its own gradient") {
  Maker m;
  const Term x = m.input("x", batch_of({5}));
  const Term h = call("softplus", {matmul(x, m.param("w", shape({5, 4}))) + m.param("b", shape({4}))});
  const Term score = matmul(h, m.param("v", shape({4, 1})));
  const Term slope = gradient(score, x);
  const Term norm = call("sqrt", {sum_over(call("square", {slope}), {1}) + 1e-12});
  m.output("y", sum(call("square", {norm - 1.0})));
  check_all(m.finish(), 3);
}

TEST_CASE("a deep contractive penalty differentiates a Jacobian through two layers") {
  Maker m;
  const Term x = m.input("x", batch_of({4}));
  const Term first = call("tanh", {matmul(x, m.param("w", shape({4, 5})))});
  const Term code = call("sigmoid", {matmul(first, m.param("v", shape({5, 3})))});
  const Term direction = m.input("direction", batch_of({3}));
  const Term jacobian_row = gradient(sum(code * direction), x);
  m.output("y", sum(call("square", {jacobian_row})) * 0.1 + sum(call("square", {code})));
  check_all(m.finish(), 3);
}

TEST_CASE("the grad of an expression with a grad in it expands innermost first") {
  Maker m;
  const Term x = m.param("x", {});
  const Term inner = gradient(x * x * x, x);
  m.output("y", gradient(inner * x, x));  // d(3x³)/dx = 9x²
  const Graph graph = expand_gradients(m.finish(), ops::registry());
  Point point;
  point.variables["x"] = {{}, {2.0}};
  CHECK(value(graph, "y", point) == Approx(36.0).epsilon(1e-14));
  CHECK(count(graph, "grad") == 0);
}

TEST_CASE("a chain of a hundred thousand nodes takes nodes in proportion and no stack") {
  constexpr int length = 100'000;
  Maker m;
  const Term x = m.param("x", {});
  Term y = x;
  for (int i = 0; i < length; ++i) y = call("tanh", {y});
  append_gradients(m.builder, y, std::vector<NodeId>{x});
  CHECK(m.builder.size() > 3U * length);
  CHECK(m.builder.size() < 8U * length);
}
