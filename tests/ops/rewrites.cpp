// The rewrites of elementwise ops: golden text of what they leave, and the same values and gradients.
#include <cmath>
#include <string>

#include "autograd/gradcheck.hpp"
#include "graph/interpreter.hpp"
#include "graph/passes/apply_rules.hpp"
#include "graph/passes/dead_nodes.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/print.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

namespace {

const Shape matrix = {Dim::batch(), Dim::number(2)};

Term input(Builder& builder, const std::string& name, const Shape& shape = matrix) {
  return {builder, builder.add("input", {}, {{"shape", shape}}, {.name = name})};
}

/// The graph of y = f(a, b) for two inputs of one shape.
template <class Function>
Graph graph_of(Function f) {
  Builder builder(ops::registry());
  const Term a = input(builder, "a");
  const Term b = input(builder, "b");
  builder.output("y", f(a, b));
  return remove_dead_nodes(std::move(builder).finish(), ops::registry());
}

/// The operation of the output, written with the ops below it: "sub(mul(a, b), softplus(b))".
std::string formula(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op->traits.input) return node.name;
  if (node.op->traits.constant) return to_string(AttributeValue(node.attributes.numbers("values")[0]));
  std::string text = node.op->name + "(";
  for (const NodeId operand : node.inputs) text += (text.back() == '(' ? "" : ", ") + formula(graph, operand);
  return text + ")";
}

template <class Function>
std::string canonical(Function f) {
  const Graph graph = apply_real_rules(graph_of(f), ops::registry());
  return formula(graph, graph.output("y"));
}

template <class Function>
std::string simple(Function f) {
  const Graph graph = apply_exact_rules(graph_of(f), ops::registry());
  return formula(graph, graph.output("y"));
}

Term sigmoid(Term z) {
  return call("sigmoid", {z});
}
Term log(Term x) {
  return call("log", {x});
}
Term floored_log(Term x) {
  return call("log", {x}, {{"floor", -1.0}});
}
Term power(Term x, double exponent) {
  return call("pow", {x, constant_like(x, exponent)});
}

Term log_of_zero_known(Term x) {
  return call("log", {x}, {{"at_zero", -100.0}});
}

/// The cross entropy between targets t and probabilities p, as the block `bce` writes it.
Term cross_entropy(Term t, Term p) {
  return -(t * log_of_zero_known(p) + (1.0 - t) * log_of_zero_known(1.0 - p));
}

std::vector<double> values(const Graph& graph, std::vector<double> a, std::vector<double> b) {
  InterpreterRun run;
  run.batch = static_cast<std::int64_t>(a.size()) / 2;
  run.feeds["a"] = {{run.batch, 2}, std::move(a)};
  run.feeds["b"] = {{run.batch, 2}, std::move(b)};
  HostVariables none;
  return interpret(graph, none, run).at(graph.output("y")).values;
}

}  // namespace

TEST_CASE("the logarithm of a sigmoid becomes a softplus") {
  CHECK(canonical([](Term a, Term) { return log(sigmoid(a)); }) == "neg(softplus(neg(a)))");
  CHECK(canonical([](Term a, Term) { return log(1.0 - sigmoid(a)); }) == "neg(softplus(a))");
  CHECK(canonical([](Term a, Term) { return log_of_zero_known(sigmoid(a)); }) == "neg(softplus(neg(a)))");
  CHECK(canonical([](Term a, Term) { return floored_log(sigmoid(a)); }) == "log(sigmoid(a))");
  CHECK(canonical([](Term a, Term) { return floored_log(1.0 - sigmoid(a)); }) == "log(sub(1, sigmoid(a)))");
  CHECK(canonical([](Term a, Term) { return log(a); }) == "log(a)");
  CHECK(canonical([](Term a, Term) { return log(2.0 - sigmoid(a)); }) == "log(sub(2, sigmoid(a)))");
  CHECK(canonical([](Term a, Term b) { return log(a - sigmoid(b)); }) == "log(sub(a, sigmoid(b)))");
}

TEST_CASE("the cross entropy of a sigmoid becomes that of its logits, in any order of the operands") {
  const std::string stable = "neg(sub(mul(a, b), softplus(b)))";
  CHECK(canonical([](Term a, Term b) { return cross_entropy(a, sigmoid(b)); }) == stable);
  const auto reordered = [](int order) {
    return [order](Term t, Term z) {
      const Term yes = log_of_zero_known(sigmoid(z));
      const Term no = log_of_zero_known(1.0 - sigmoid(z));
      const Term first = (order & 1) != 0 ? t * yes : yes * t;
      const Term second = (order & 2) != 0 ? (1.0 - t) * no : no * (1.0 - t);
      return -((order & 4) != 0 ? first + second : second + first);
    };
  };
  for (int order = 0; order < 8; ++order) CHECK(canonical(reordered(order)) == stable);
}

TEST_CASE("what only looks like a cross entropy stays") {
  const auto wrong_pair = [](Term t, Term z) {
    return t * log(sigmoid(z)) + (1.0 - t) * log(1.0 - sigmoid(t));
  };
  CHECK(canonical(wrong_pair) == "add(mul(a, neg(softplus(neg(b)))), mul(sub(1, a), neg(softplus(a))))");
  const auto wrong_target = [](Term t, Term z) {
    return t * log(sigmoid(z)) + (1.0 - z) * log(1.0 - sigmoid(z));
  };
  CHECK(canonical(wrong_target) == "add(mul(a, neg(softplus(neg(b)))), mul(sub(1, b), neg(softplus(b))))");
  const auto probabilities = [](Term t, Term p) { return cross_entropy(t, p); };
  CHECK(canonical(probabilities) == "neg(add(mul(a, log(b)), mul(sub(1, a), log(sub(1, b)))))");
}

TEST_CASE("a canonical cross entropy has the same values and finite ones where a sigmoid saturates") {
  const Graph written = graph_of([](Term t, Term z) { return cross_entropy(t, sigmoid(z)); });
  const Graph stable = apply_real_rules(written, ops::registry());
  const std::vector<double> targets = {0, 1, 0.25, 0.5, 1, 0};
  const std::vector<double> logits = {-3, 2, 0.7, -1.5, 30, -25};
  const std::vector<double> before = values(written, targets, logits);
  const std::vector<double> after = values(stable, targets, logits);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i] == Approx(before[i]).margin(1e-9));
  const std::vector<double> extreme = values(stable, {1, 0}, {-800, 900});
  CHECK(extreme == std::vector<double>{800, 900});
}

TEST_CASE("powers of whole exponents become products") {
  CHECK(canonical([](Term a, Term) { return power(a, 1); }) == "a");
  CHECK(canonical([](Term a, Term) { return power(a, 2); }) == "square(a)");
  CHECK(canonical([](Term a, Term) { return power(a, 3); }) == "mul(a, square(a))");
  CHECK(canonical([](Term a, Term) { return power(a, 0.5); }) == "sqrt(a)");
  CHECK(canonical([](Term a, Term) { return power(a, -1); }) == "div(1, a)");
  CHECK(canonical([](Term a, Term) { return power(a, 2.5); }) == "pow(a, 2.5)");
  CHECK(canonical([](Term a, Term b) { return call("pow", {a, b}); }) == "pow(a, b)");
}

TEST_CASE("a power of a constant exponent has its gradient, negative bases and zero included") {
  for (const double exponent : {-1.0, 0.0, 1.0, 2.0, 3.0, 4.0}) {
    INFO("exponent " << exponent);
    const Graph graph = graph_of([=](Term a, Term) { return power(a, exponent); });
    InterpreterRun run;
    run.batch = 2;
    run.feeds["a"] = {{2, 2}, {-1.5, 0.5, exponent < 0 ? 1.0 : 0.0, 2}};
    const Graph canonical_graph = apply_real_rules(graph, ops::registry());
    for (const Graph* one : {&graph, &canonical_graph}) {
      CHECK(check_gradients(*one, ops::registry(), "y", {"a"}, {}, run).front().ok);
    }
  }
}

TEST_CASE("linear vanishes") {
  CHECK(canonical([](Term a, Term) { return call("linear", {a}); }) == "a");
}

TEST_CASE("exact identities go, what is not exact stays") {
  CHECK(simple([](Term a, Term) { return a * 1.0; }) == "a");
  CHECK(simple([](Term a, Term) { return 1.0 * a; }) == "a");
  CHECK(simple([](Term a, Term) { return a * -1.0; }) == "neg(a)");
  CHECK(simple([](Term a, Term) { return a / 1.0; }) == "a");
  CHECK(simple([](Term a, Term) { return a - 0.0; }) == "a");
  CHECK(simple([](Term a, Term) { return -(-a); }) == "a");
  CHECK(simple([](Term a, Term b) { return a - (-b); }) == "add(a, b)");
  CHECK(simple([](Term a, Term b) { return (-a) + b; }) == "sub(b, a)");
  CHECK(simple([](Term a, Term) { return a + 0.0; }) == "add(a, 0)");
  CHECK(simple([](Term a, Term) { return a - -0.0; }) == "sub(a, -0)");
  CHECK(simple([](Term a, Term) { return a * 0.0; }) == "mul(a, 0)");
  CHECK(simple([](Term a, Term) { return 1.0 / a; }) == "div(1, a)");
}

TEST_CASE("the floor of the logarithm of a sigmoid is kept") {
  const Graph graph =
      apply_real_rules(graph_of([](Term a, Term) { return floored_log(sigmoid(a)); }), ops::registry());
  CHECK(values(graph, {-5, 3}, {0, 0}) == std::vector<double>{-1, std::log(1 / (1 + std::exp(-3.0)))});
}
