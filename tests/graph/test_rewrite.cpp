#include "graph/print.hpp"
#include "graph/rewrite.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

Graph example() {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term e = call("exp", {x}, {}, {.name = "e"});
  const Term t = call("tanh", {e}, {}, {.name = "t"});
  m.builder.add("check_finite", {t}, {}, {.name = "finite", .controls = {e}});
  m.output("y", t);
  return m.finish();
}

}  // namespace

TEST_CASE("a rewrite that keeps every node keeps the graph, controls and outputs too") {
  const auto keep = [](Builder&, const Node&, NodeId) { return std::optional<NodeId>(); };
  CHECK(to_text(rewrite(example(), ops::registry(), keep)) == to_text(example()));
}

TEST_CASE("what stands for a node takes its name, and what is built beside it is named in its scope") {
  const auto halve = [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (node.op->name != "exp") return std::nullopt;
    const Term half = Term(builder, node.inputs[0]) * 0.5;
    return call("square", {call("exp", {half})});
  };
  CHECK(to_text(rewrite(example(), ops::registry(), halve)) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 e/constant = constant(values=[0.5])  f32[]\n"
        "%2 e/mul = mul(%0 x, %1 e/constant)  f32[batch, 3]\n"
        "%3 e/exp = exp(%2 e/mul)  f32[batch, 3]\n"
        "%4 e = square(%3 e/exp)  f32[batch, 3]\n"
        "%5 t = tanh(%4 e)  f32[batch, 3]\n"
        "%6 finite = check_finite(%5 t)  after %4 e\n"
        "output y = %5 t\n");
}

TEST_CASE("what a block comes to takes its name when the last node falls away") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term other = call("exp", {x}, {}, {.name = "encoder"});
  const Term sum = call("tanh", {other}, {}, {.name = "enc.sum"});
  m.output("y", call("neg", {call("linear", {sum}, {}, {.name = "enc"})}, {}, {.name = "y"}));
  m.output("z", call("linear", {other}, {}, {.name = "enc_2"}));
  const auto without_linear = [](Builder&, const Node& node, NodeId) -> std::optional<NodeId> {
    return node.op->name == "linear" ? std::optional(node.inputs[0]) : std::nullopt;
  };
  CHECK(to_text(rewrite(m.finish(), ops::registry(), without_linear)) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 encoder = exp(%0 x)  f32[batch, 3]\n"
        "%2 enc = tanh(%1 encoder)  f32[batch, 3]\n"
        "%3 y = neg(%2 enc)  f32[batch, 3]\n"
        "output y = %3 y\n"
        "output z = %1 encoder\n");
}

TEST_CASE("new nodes carry the origin of the node they were made for") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  auto origin = std::make_shared<Origin>();
  origin->path = "enc.1";
  m.output("y", Term(m.builder, m.builder.add("exp", {x}, {}, {.name = "e", .origin = origin})));
  const Graph graph = rewrite(m.finish(), ops::registry(),
                              [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
                                if (node.op->name != "exp") return std::nullopt;
                                return builder.add("tanh", node.inputs);
                              });
  CHECK(graph.node(graph.output("y")).origin->path == "enc.1");
}

TEST_CASE("a node that another uses cannot be dropped") {
  CHECK(throws(
      [] {
        keep_only(example(), ops::registry(), {true, false, true, true});
      },
      ErrorCode::internal, "uses one that a pass has dropped"));
}
