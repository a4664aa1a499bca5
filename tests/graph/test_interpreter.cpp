#include "graph/interpreter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

/// y = exp(x w), and an unused node.
Graph example() {
  Maker m;
  const Term x = m.input("x", batch_of({2}));
  const Term w = m.param("w", shape({2, 1}));
  const Term z = call("matmul", {x, w}, {}, {.name = "z"});
  call("sqrt", {z}, {}, {.name = "unused"});
  m.output("y", call("exp", {z}, {}, {.name = "y"}));
  return m.finish();
}

Point example_point() {
  Point point;
  point.run.batch = 3;
  point.run.feeds["x"] = {{3, 2}, {1, 2, 3, 4, 5, 6}};
  point.variables["w"] = {{2, 1}, {0.5, -0.25}};
  return point;
}

std::vector<HostTensor> run(const Graph& graph, Point& point) {
  return interpret(graph, point.variables, point.run);
}

}  // namespace

TEST_CASE("the interpreter computes in f64 what the outputs need, and no more") {
  const Graph graph = example();
  Point point = example_point();
  const std::vector<HostTensor> values = run(graph, point);
  CHECK(values[graph.output("y")].extents == Extents{3, 1});
  CHECK(values[graph.output("y")].values == std::vector<double>{std::exp(0.0), std::exp(0.5), std::exp(1.0)});
  CHECK(values[*graph.find("unused")].values.empty());
}

TEST_CASE("feeding a node cuts the graph there") {
  const Graph graph = example();
  Point point;
  point.run.batch = 1;
  point.run.feeds["z"] = {{1, 1}, {0.0}};  // neither x nor w are needed
  CHECK(run(graph, point)[graph.output("y")].values == std::vector<double>{1.0});
}

TEST_CASE("effects write variables in place") {
  Maker m;
  const Term v = m.param("v", shape({2}));
  m.builder.add("assign", {v, v * 3.0});
  const Graph graph = m.finish();
  Point point;
  point.variables["v"] = {{2}, {1, 2}};
  run(graph, point);
  CHECK(point.variables["v"].values == std::vector<double>{3, 6});
  run(graph, point);
  CHECK(point.variables["v"].values == std::vector<double>{9, 18});
}

TEST_CASE("after a change of one value, only what follows is computed again") {
  const Graph graph = example();
  Point point = example_point();
  std::vector<HostTensor> values = run(graph, point);
  values[*graph.find("z")].values = {1, 0, 0};
  const std::vector<NodeId> which = {graph.output("y")};
  recompute(graph, point.run, which, values);
  CHECK(values[graph.output("y")].values == std::vector<double>{std::exp(1.0), 1, 1});
}

TEST_CASE("what is not given, or given in another shape, is named") {
  const Graph graph = example();
  Point point = example_point();
  SECTION("an input") {
    point.run.feeds.clear();
    CHECK(throws([&] { run(graph, point); }, ErrorCode::usage, "node 'x': this input is not fed"));
  }
  SECTION("a variable") {
    point.variables.clear();
    CHECK(throws([&] { run(graph, point); }, ErrorCode::usage, "node 'w': this variable has no value"));
  }
  SECTION("the shape of a feed") {
    point.run.batch = 2;
    CHECK(throws([&] { run(graph, point); }, ErrorCode::model,
                 "node 'x': it is fed [3, 2], but has the shape [batch, 2] = [2, 2]"));
  }
  SECTION("the shape of a variable") {
    point.variables["w"] = {{2, 2}, {1, 2, 3, 4}};
    CHECK(throws([&] { run(graph, point); }, ErrorCode::model,
                 "node 'w': its value has the shape [2, 2], but the variable is f32[2, 1]"));
  }
  SECTION("fewer values than the shape says") {
    point.run.feeds["x"].values.pop_back();
    CHECK(throws([&] { run(graph, point); }, ErrorCode::model, "node 'x': it is fed 5 values for [3, 2]"));
  }
}

TEST_CASE("a variable that an effect writes must be a variable that is given") {
  Maker m;
  const Term v = m.param("v", {});
  m.builder.add("assign", {v, m.number(1)});
  const Graph graph = m.finish();
  Point point;
  point.run.feeds["v"] = {{}, {1.0}};
  CHECK(throws([&] { run(graph, point); }, ErrorCode::usage, "node 'v': this variable has no value"));
}

TEST_CASE("a node without meaning here is our bug") {
  Maker m;
  const Term x = m.input("x", batch_of({2}));
  m.output("y", gradient(x, x));
  const Graph graph = m.finish();
  Point point = example_point();
  CHECK(throws([&] { run(graph, point); }, ErrorCode::internal, "op 'grad' has no value here"));
}
