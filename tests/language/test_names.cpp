// Names: what users call things, what the program calls its own, and which parameters are one.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "graph/print.hpp"
#include "language/build.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "tests/support/catch.hpp"

using graphrun::ModelDefinition;
using graphrun::Node;
using graphrun::NodeId;

namespace {

const std::string x = "inputs: {x: {shape: [batch, 8]}}\n";

ModelDefinition parse(const std::string& text) {
  return graphrun::parse_model("graphrun: 1\n" + text, "m.yaml", {},
                               {&graphrun::ops::registry(), graphrun::ops::standard_blocks()});
}

std::vector<std::string> parameters(const ModelDefinition& model) {
  std::vector<std::string> names;
  for (const Node& node : model.graph.nodes())
    if (node.op->traits.variable) names.push_back(node.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> parameters(const std::string& nodes) {
  return parameters(parse(x + nodes));
}

using Names = std::vector<std::string>;

const std::string cell =
    "blocks:\n"
    "  cell:\n"
    "    in: [h]\n"
    "    nodes: {u: {op: dense, in: h, units: 8, params: inner}, y: tanh(u)}\n"
    "    out: y\n";

}  // namespace

TEST_CASE("what the program calls its own is called so by no user") {
  const ModelDefinition model =
      parse(x +
            "nodes: {loss: {op: dense, in: x, units: 8}, weight: x + 1}\n"
            "outputs: {loss: weight, mul_2: x * 2}\n"
            "loss: {r: {op: mse, in: [loss, x], weight: {linear: {from: 0, to: 1, epochs: 2}}}}\n");
  CHECK(model.role("loss") == model.graph.find("weight"));
  CHECK(model.objective != model.role("loss"));
  CHECK(model.graph.node(model.objective.value()).type.shape.empty());
  CHECK(model.scheduled.at(0).name == "loss.r/weight");
  for (const graphrun::ScheduledInput& input : model.scheduled) CHECK(model.graph.find(input.name));
}

TEST_CASE("a generated name is none that a user can write") {
  const ModelDefinition model = parse(x +
                                      "nodes: {a: relu(relu(x) * 2), mul_2: {op: param, shape: [8]},\n"
                                      "  constant_2: a + mul_2, adam: constant_2 * 1}\n"
                                      "outputs: {y: adam}\nloss: {r: {op: mse, in: [adam, x]}}\n");
  CHECK(parameters(model) == Names{"mul_2"});
  const auto letters = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
  };
  const Names written = {"x", "a", "mul_2", "constant_2", "adam"};
  for (const Node& node : model.graph.nodes()) {
    const bool writable = std::all_of(node.name.begin(), node.name.end(), letters);
    INFO(node.name);
    CHECK((!writable || std::find(written.begin(), written.end(), node.name) != written.end()));
  }
}

TEST_CASE("random draws of a formula have paths of their own, whatever its blocks are called") {
  const ModelDefinition model =
      parse(x +
            "blocks:\n"
            "  noise: {in: [a], nodes: {r: {op: random_normal, like: a}, y: a + r}, out: y}\n"
            "  noise_2: {in: [a], nodes: {r: {op: random_normal, like: a}, y: a + r}, out: y}\n"
            "nodes: {y: noise(x) + noise(x) + noise_2(x) + noise_2(x)}\n");
  Names paths;
  for (const Node& node : model.graph.nodes())
    if (node.op->traits.random) paths.push_back(node.origin->path);
  CHECK(paths == Names{"y/noise.r", "y/noise_2.r", "y/noise_2_2.r", "y/noise_2_3.r"});
}

TEST_CASE("parameters live at the paths of their nodes, outputs and terms too") {
  CHECK(parameters("nodes: {a: {op: dense, in: x, units: 8}}\n"
                   "outputs: {a: {op: dense, in: a, units: 2}}\n"
                   "loss: {a: {op: dense, in: x, units: 1}}\n") ==
        Names{"a.b", "a.w", "loss.a.b", "loss.a.w", "outputs.a.b", "outputs.a.w"});
}

TEST_CASE("params: puts parameters at another path, and equal paths are one") {
  const std::string shared =
      "nodes: {a: {op: dense, in: x, units: 8, params: %}, b: {op: dense, in: a, units: 8, params: %}}\n";
  for (const auto& [written, path] : std::vector<std::pair<std::string, std::string>>{
           {"s", "s"}, {"s.t", "s.t"}, {"s.0", "s.0"}, {"/s", "s"}, {"$name", "p"}, {"s.$(1 + 1)", "s.2"}}) {
    std::string text = "vars: {name: p}\n" + shared;
    for (std::size_t at = text.find('%'); at != std::string::npos; at = text.find('%'))
      text.replace(at, 1, written);
    INFO(text);
    CHECK(parameters(text) == Names{path + ".b", path + ".w"});
  }
}

TEST_CASE("copies of a repeat have paths of their own, or the one that params: says") {
  const std::string copies = "nodes: {a: {op: dense, in: x, repeat: 2, units: 8, bias: false%}}\n";
  const auto with = [&](const std::string& params) {
    std::string text = copies;
    return parameters(text.replace(text.find('%'), 1, params));
  };
  CHECK(with("") == Names{"a.0.w", "a.1.w"});
  CHECK(with(", params: s") == Names{"s.w"});
  CHECK(with(", params: s.$index") == Names{"s.0.w", "s.1.w"});
  CHECK(parameters("nodes:\n"
                   "  a: {op: dense, in: x, repeat: 2, units: 8, bias: false}\n"
                   "  b: {op: dense, in: x, repeat: [a.1, a.0], units: 8, bias: false, params: $item}\n") ==
        Names{"a.0.w", "a.1.w"});
}

TEST_CASE("in a block params: goes on from those of the call, or from the file") {
  CHECK(parameters(cell + "nodes: {a: {op: cell, in: x, repeat: 3}}\n") ==
        Names{"a.0.inner.b", "a.0.inner.w", "a.1.inner.b", "a.1.inner.w", "a.2.inner.b", "a.2.inner.w"});
  CHECK(parameters(cell + "nodes: {a: {op: cell, in: x, repeat: 3, params: lstm}}\n") ==
        Names{"lstm.inner.b", "lstm.inner.w"});
  std::string absolute = cell;
  absolute.replace(absolute.find("inner"), 5, "/inner");
  CHECK(parameters(absolute + "nodes: {a: {op: cell, in: x, repeat: 3}, b: {op: cell, in: x}}\n") ==
        Names{"inner.b", "inner.w"});
}

TEST_CASE("tie: and references follow params:") {
  const ModelDefinition model = parse(x +
                                      "nodes:\n"
                                      "  a: {op: dense, in: x, units: 3, params: s}\n"
                                      "  b: {op: dense, in: a, units: 8, tie: a}\n"
                                      "  c: sum(a.w ** 2)\n");
  CHECK(parameters(model) == Names{"b.b", "s.b", "s.w"});
}

TEST_CASE("train: names nodes or paths, and means all their variables") {
  const auto trained = [](const std::string& names) {
    const ModelDefinition model = parse(x +
                                        "nodes:\n"
                                        "  a: {op: dense, in: x, units: 8, params: s}\n"
                                        "  n: {op: batch_norm, in: a}\n"
                                        "  b: {op: dense, in: n, units: 8, params: s}\n"
                                        "loss: {r: {op: mse, in: [b, x]}}\n"
                                        "train: {epochs: 1, train: [" +
                                        names + "]}\n");
    Names result;
    for (const NodeId id : model.train->train) result.push_back(model.graph.node(id).name);
    std::sort(result.begin(), result.end());
    return result;
  };
  CHECK(trained("s") == Names{"s.b", "s.w"});
  CHECK(trained("a") == Names{"s.b", "s.w"});
  CHECK(trained("b, s.b") == Names{"s.b", "s.w"});
  CHECK(trained("n") == Names{"n.gain", "n.mean", "n.shift", "n.variance"});
  CHECK(trained("n.gain") == Names{"n.gain"});
}

TEST_CASE("a block has no parameters that its output does not need") {
  CHECK(parameters("nodes: {a: {op: dense, in: x, units: 2, bias: false}}\n") == Names{"a.w"});
  CHECK(parameters("blocks:\n"
                   "  scaled:\n"
                   "    args: {gain: true}\n"
                   "    in: [x]\n"
                   "    nodes:\n"
                   "      g: {op: param, shape: [\"$(dim(x, -1))\"]}\n"
                   "      e: exp(g)\n"
                   "      y: {op: mul, in: [x, e], repeat: $(1 if gain else 0)}\n"
                   "    out: y\n"
                   "nodes: {a: {op: scaled, in: x}, b: {op: scaled, in: x, gain: false}}\n") == Names{"a.g"});
}

TEST_CASE("check is told of parameters that nothing uses") {
  const ModelDefinition model =
      parse(x + "nodes: {w: {op: param, shape: [8]}, v: {op: param, shape: [8]}, y: x + v}\n");
  REQUIRE(model.notices.size() == 1);
  CHECK(model.notices[0].message == "nothing uses the parameter 'w'");
  CHECK(model.notices[0].where.line == 3);
}

TEST_CASE("a size may be asked of a node that is written below") {
  for (const std::string use :
       {"sum(x, axis=[$(rank(y) - 1)])", "sum(x, axis=rank(y) - 1)", "sum(x, axis=[rank(y) - 1])",
        "{op: sum, in: x, axis: $(rank(y) - 1)}", "sum(x, axis=(0 if dim(y, 1) == 1 else 1))"}) {
    INFO(use);
    const ModelDefinition model = parse(x + "nodes:\n  a: " + use + "\n  y: relu(x)\n");
    CHECK(to_string(model.graph.node(*model.graph.find("a")).type) == "f32[batch]");
  }
  CHECK(parse(x + "nodes:\n  s: {linear: {from: $(rank(y)), to: 0, epochs: 1}}\n  y: relu(x)\n")
            .scheduled.size() == 1);
}

TEST_CASE("the default of an argument may ask for the size of an inner node, wherever that is written") {
  const std::string h = "      h: {op: dense, in: x, units: 3}\n";
  const std::string copies = "      y: {op: dense, in: h, units: $n}\n";
  const auto block = [](const std::string& args, const std::string& nodes) {
    return "blocks:\n  b:\n    args: " + args + "\n    in: [x]\n    nodes:\n" + nodes + "    out: y\n";
  };
  const auto parameters_of = [](const std::string& blocks, const std::string& call) {
    return parameters(parse(x + blocks + "nodes: {a: {op: b, in: x" + call + "}}\noutputs: {a: a}\n"));
  };
  const auto text = [](const std::string& blocks, const std::string& call) {
    return to_text(parse(x + blocks + "nodes: {a: {op: b, in: x" + call + "}}\noutputs: {a: a}\n").graph);
  };
  for (const std::string& use :
       {copies, std::string("      y: {op: slice, in: h, axis: -1, start: 0, stop: $n}\n"),
        std::string("      y: h * $n\n"), std::string("      y: sum(h, axis=n - 2)\n"),
        std::string("      y: {op: dense, in: h, repeat: $n, units: 3}\n")}) {
    INFO(use);
    const std::string args = "{n: \"$(dim(h, -1))\"}";
    CHECK(text(block(args, use + h), "") == text(block(args, h + use), ""));
    const std::string through = "{m: $n, n: \"$(dim(h, -1))\"}";
    std::string other = use;
    if (other.find("$n") != std::string::npos) other.replace(other.find("$n"), 2, "$m");
    CHECK(text(block(through, other + h), "") == text(block(through, h + other), ""));
  }
  // What the call says itself asks for nothing.
  const std::string own = block("{n: \"$(dim(y, -1))\"}", copies + h);
  CHECK(parameters_of(own, ", n: 4") == Names{"a.h.b", "a.h.w", "a.y.b", "a.y.w"});
}

TEST_CASE("an op or an axis may come from a var, wherever it is written") {
  const auto text = [](const std::string& vars, const std::string& rest) {
    return to_text(parse(vars + x + "nodes: {r: {op: dense, in: x, units: 8}}\n" + rest).graph);
  };
  const std::string loss = "loss: {r: {op: %, in: [r, x]}}\n";
  const auto with = [&](std::string op) { return std::string(loss).replace(loss.find('%'), 1, op); };
  CHECK(text("vars: {kind: mse}\n", with("$kind")) == text("", with("mse")));
  CHECK(text("vars: {k: 1}\n", with("$('mse' if k == 1 else 'bce')")) == text("", with("mse")));
  const auto sum = [&](const std::string& axis) { return "outputs: {s: \"sum(r, axis=" + axis + ")\"}\n"; };
  for (const char* const axis : {"n", "n + 0", "[n]", "$n"}) {
    INFO(axis);
    CHECK(text("vars: {n: 1}\n", sum(axis)) == text("", sum(axis[0] == '[' ? "[1]" : "1")));
  }
  CHECK(text("vars: {n: 1}\n", "outputs: {s: \"mean(r, axis=n)\"}\n") ==
        text("", "outputs: {s: \"mean(r, axis=1)\"}\n"));
}
