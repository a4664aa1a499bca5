#include <optional>
#include <string>
#include <vector>

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

/// A chain that is longer than a block of nodes, of tanh(exp(…)), with two outputs and a node that waits.
Graph long_chain(int nodes) {
  Maker m;
  Term value = m.input("x", batch_of({3}));
  for (int i = 1; i < nodes; ++i) {
    value = call(i % 2 == 0 ? "exp" : "tanh", {value}, {}, {.name = "n" + std::to_string(i)});
    if (i == nodes / 2) m.output("middle", value);
  }
  m.builder.add("check_finite", {value}, {}, {.name = "finite", .controls = {NodeId{1}}});
  m.output("y", value);
  return m.finish();
}

/// A rewrite as it is meant: a new graph, node by node.
Graph copied(const Graph& graph, const Visit& visit) {
  Builder builder(ops::registry());
  std::vector<NodeId> map(graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    Node node = graph.node(id);
    for (NodeId& input : node.inputs) input = map[input];
    for (NodeId& control : node.controls) control = map[control];
    builder.set_origin(node.origin, node.name);
    const std::size_t before = builder.size();
    const std::optional<NodeId> replacement = visit(builder, node, id);
    map[id] = replacement ? *replacement : builder.add_like(node, node.inputs, node.controls);
    if (replacement && *replacement >= before) builder.rename(*replacement, node.name);
  }
  for (const NamedOutput& output : graph.outputs()) builder.output(output.name, map[output.node]);
  return std::move(builder).finish();
}

}  // namespace

TEST_CASE("a rewrite changes the same wherever it begins to") {
  for (const int at : {0, 1, 2, 62, 63, 64, 65, 127, 128, 129, 198, 199, 200}) {
    const auto longer = [at](Builder& builder, const Node& node, NodeId id) -> std::optional<NodeId> {
      if (id != static_cast<NodeId>(at) || node.inputs.empty() || node.op->traits.effect) return std::nullopt;
      return call("neg", {Term(builder, node.inputs[0]) * 2.0});
    };
    const auto shorter = [at](Builder&, const Node& node, NodeId id) -> std::optional<NodeId> {
      const bool here = id == static_cast<NodeId>(at) || id == static_cast<NodeId>(at) + 70;
      if (!here || node.inputs.empty() || node.op->traits.effect) return std::nullopt;
      return node.inputs[0];
    };
    const Graph graph = long_chain(200);
    CHECK(to_text(rewrite(graph, ops::registry(), longer)) == to_text(copied(graph, longer)));
    CHECK(to_text(rewrite(graph, ops::registry(), shorter)) == to_text(copied(graph, shorter)));
  }
}

TEST_CASE("what is dropped from a graph leaves the rest in order, wherever it was") {
  for (const NodeId at : {1U, 2U, 63U, 64U, 65U, 127U, 128U, 199U}) {
    Maker m;
    for (NodeId id = 0; id < 200; ++id) m.output("o" + std::to_string(id), m.number(id));
    std::vector<bool> keep(200, true);
    keep[at] = keep[at / 2] = false;
    const Graph graph = keep_only(m.finish(), ops::registry(), keep);
    REQUIRE(graph.size() == 198);
    REQUIRE(graph.outputs().size() == 198);
    NodeId next = 0;
    for (NodeId id = 0; id < 200; ++id) {
      if (!keep[id]) continue;
      CHECK(graph.node(next).attributes.numbers("values").front() == id);
      CHECK(graph.output("o" + std::to_string(id)) == next++);
    }
  }
}

TEST_CASE("nodes that are kept stay where they are while nothing changes") {
  Graph graph = long_chain(200);
  const Node* const last = &graph.node(199);
  const auto keep = [](Builder&, const Node&, NodeId) { return std::optional<NodeId>(); };
  graph.set_verified();
  graph = rewrite(std::move(graph), ops::registry(), keep);
  CHECK(&graph.node(199) == last);
  CHECK(graph.is_verified());
  const std::vector<bool> all(graph.size(), true);
  graph = keep_only(std::move(graph), ops::registry(), all);
  CHECK(&graph.node(199) == last);
  CHECK(graph.is_verified());
}

TEST_CASE("what a rewrite has changed is no longer verified") {
  const auto verified = [](const Visit& visit) {
    Graph graph = long_chain(100);
    graph.set_verified();
    return rewrite(std::move(graph), ops::registry(), visit).is_verified();
  };
  CHECK_FALSE(verified([](Builder& builder, const Node& node, NodeId id) -> std::optional<NodeId> {
    if (id == 99) builder.constant(1);
    return id == 98 ? std::optional(node.inputs[0]) : std::nullopt;
  }));
  CHECK_FALSE(verified([](Builder& builder, const Node&, NodeId id) -> std::optional<NodeId> {
    if (id == 100) builder.constant(1);
    return std::nullopt;
  }));
}

TEST_CASE("a node whose input has changed its type gets the type that follows") {
  const auto wider = [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!node.op->traits.input) return std::nullopt;
    return builder.add("input", {}, {{"shape", batch_of({5})}});
  };
  const Graph graph = rewrite(long_chain(200), ops::registry(), wider);
  for (NodeId id = 0; id < 200; ++id) CHECK(to_string(graph.node(id).type) == "f32[batch, 5]");
}

TEST_CASE("a name that a new node has taken is not given to a node that is kept") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  m.output("y", call("tanh", {call("exp", {x}, {}, {.name = "e"})}, {}, {.name = "e:neg"}));
  const auto taking = [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (node.op->name != "exp") return std::nullopt;
    return call("exp", {call("neg", {Term(builder, node.inputs[0])})});
  };
  const Graph graph = rewrite(m.finish(), ops::registry(), taking);
  CHECK(graph.node(1).name == "e:neg");
  CHECK(graph.node(2).name == "e");
  CHECK(graph.node(3).name == "e:neg_2");
}

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
        "%1 e:constant = constant(values=[0.5])  f32[]\n"
        "%2 e:mul = mul(%0 x, %1 e:constant)  f32[batch, 3]\n"
        "%3 e:exp = exp(%2 e:mul)  f32[batch, 3]\n"
        "%4 e = square(%3 e:exp)  f32[batch, 3]\n"
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
