#include "graph/graph.hpp"
#include "graph/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

TEST_CASE("the builder infers types, fills in defaults and numbers nodes in order") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term y = call("sum", {x});
  CHECK(x.id() == 0);
  CHECK(y.id() == 1);
  CHECK(to_string(y.type()) == "f32[]");
  CHECK(m.builder.node(y).attributes.axes("axis") == Axes{});
  CHECK_FALSE(m.builder.node(y).attributes.flag("keepdims"));
}

TEST_CASE("names are unique: a taken one gets a number, an unnamed node the name of its op") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const auto name = [&](std::string wanted) {
    return m.builder.node(m.builder.add("exp", {x}, {}, {.name = std::move(wanted)})).name;
  };
  CHECK(name("h") == "h");
  CHECK(name("h") == "h_2");
  CHECK(name("h_3") == "h_3");
  CHECK(name("h") == "h_3_2");  // h_3 was taken by hand
  CHECK(name("") == "exp:5");
  m.builder.set_origin({}, "enc.1");
  CHECK(name("") == "enc.1:exp");
  CHECK(name("") == "enc.1:exp_2");
  const NodeId y = m.builder.add("exp", {x});
  m.builder.rename(y, "h");
  CHECK(m.builder.node(y).name.starts_with("h_"));
  // Of what the host knows by name there is one, and it is called so.
  const std::string twice = "two nodes of a graph are called 'h'";
  CHECK(throws([&] { m.param("h", {}); }, ErrorCode::internal, twice));
  CHECK(throws([&] { m.input("h", {}); }, ErrorCode::internal, twice));
}

TEST_CASE("a wrong node is an error of its op that names the attribute") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const auto about = [](auto call) -> std::string {
    try {
      call();
    } catch (const OpError& error) {
      return error.about() + ": " + error.message() + " | " + error.fix();
    }
    return "nothing thrown";
  };
  CHECK(about([&] { m.builder.add("exp", {x, x}); }) == "in: exp takes 1 input (x), not 2 | ");
  CHECK(about([&] { m.builder.add("exp", {x}, {{"axis", 1.0}}); }) == "axis: exp has no attribute 'axis' | ");
  CHECK(contains(about([&] { m.builder.add("reshape", {x}); }),
                 "shape: reshape needs the attribute 'shape' | Write `shape: …`"));
  CHECK(m.builder.size() == 1);  // nothing was added
}

TEST_CASE("misuse of the builder is our bug, not undefined behaviour") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  CHECK(throws([&] { m.builder.add("exp", {x.id() + 7}); }, ErrorCode::internal, "not built yet"));
  CHECK(
      throws([&] { m.builder.add("no_such_op", {x}); }, ErrorCode::internal, "no op is called 'no_such_op'"));
  CHECK(throws([&] { m.builder.node(x).attributes.integer("shape"); }, ErrorCode::internal,
               "attribute 'shape' is missing or of another kind"));
}

TEST_CASE("a graph finds its nodes and outputs by name") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  m.output("code", x);
  m.output("image", x);
  const Graph graph = m.finish();
  CHECK(graph.output("image") == 0);
  CHECK(graph.has_output("code"));
  CHECK_FALSE(graph.has_output("x"));
  CHECK(graph.find("x") == NodeId{0});
  CHECK_FALSE(graph.find("code").has_value());
  CHECK(throws([&] { graph.output("codes"); }, ErrorCode::usage,
               "there is no output 'codes'; there are: code, image"));
}

TEST_CASE("an op registered twice is refused") {
  const OpDef op = ops::registry().get("exp");
  CHECK(throws([&] { OpRegistry({op, op}); }, ErrorCode::internal, "op 'exp' is registered twice"));
}
