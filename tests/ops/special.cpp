// Ops that hold a graph together, and the rewrites that ops bring for themselves.
#include "autograd/gradients.hpp"
#include "graph/passes/apply_rules.hpp"
#include "graph/passes/specialise_mode.hpp"
#include "graph/print.hpp"
#include "ops/op.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

const Node& output_node(const Graph& graph) {
  return graph.node(graph.output("y"));
}

Graph canonical(Maker& maker, Term y) {
  maker.output("y", y);
  return apply_real_rules(maker.finish(), ops::registry());
}

/// Both graphs give the same "y" at a random point.
void check_same(const Graph& a, const Graph& b) {
  Point point = random_point(a, 3, 5);
  const HostTensor x = interpret(a, point.variables, point.run)[a.output("y")];
  const HostTensor y = interpret(b, point.variables, point.run)[b.output("y")];
  CHECK(x.extents == y.extents);
  REQUIRE(x.values.size() == y.values.size());
  for (std::size_t i = 0; i < x.values.size(); ++i) CHECK(x.values[i] == Approx(y.values[i]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("input, param and grad have the types they are given") {
  Maker maker;
  const Term x = maker.input("x", batch_of({3}));
  const Term labels = maker.input("y", batch_of({}), "i32");
  const Term w = maker.param("w", shape({3, 2}));
  CHECK(to_string(x.type()) == "f32[batch, 3]");
  CHECK(to_string(labels.type()) == "i32[batch]");
  CHECK(to_string(w.type()) == "f32[3, 2]");
  CHECK(maker.builder.node(w).attributes.flag("trainable"));
  CHECK(to_string(gradient(sum(matmul(x, w)), w).type()) == "f32[3, 2]");
}

TEST_CASE("during chooses by mode, and by `when: always`") {
  const auto made = [](const std::string& when, Mode mode) {
    Maker maker;
    const Term x = maker.input("x", batch_of({3}));
    maker.output("y", call("during", {x * 2.0, x}, {{"when", when}}));
    const Graph graph = specialise_mode(maker.finish(), ops::registry(), mode);
    return output_node(graph).op->name;
  };
  CHECK(made("train", Mode::train) == "mul");
  CHECK(made("train", Mode::evaluate) == "input");
  CHECK(made("always", Mode::evaluate) == "mul");
}

TEST_CASE("gradients stop at stop_gradient and pass by straight_through") {
  const auto slope = [](auto function) {
    Maker maker;
    const Term x = maker.input("x", shape({2}));
    maker.output("y", gradient(sum(function(x)), x));
    const Graph graph = expand_gradients(maker.finish(), ops::registry());
    HostVariables none;
    const InterpreterRun run{.batch = 1, .feeds = {{"x", {{2}, {3, 5}}}}};
    return interpret(graph, none, run)[graph.output("y")].values;
  };
  CHECK(slope([](Term x) { return x * call("stop_gradient", {x}); }) == std::vector<double>{3, 5});
  CHECK(slope([](Term x) {
          return call("straight_through", {x * x, 7.0 * x});
        }) == std::vector<double>{7, 7});
}

TEST_CASE("cast holds integers in their range and passes gradients between floats") {
  const auto cast = [](const std::string& dtype, std::vector<double> values) {
    Maker maker;
    const Term x = maker.input("x", {rows()});
    maker.output("y", call("cast", {x}, {{"dtype", dtype}}));
    const Graph graph = maker.finish();
    const Node& node = output_node(graph);
    HostVariables none;
    const auto count = static_cast<std::int64_t>(values.size());
    const InterpreterRun run{.batch = count, .feeds = {{"x", {{count}, values}}}};
    const std::vector<double> wanted = interpret(graph, none, run)[graph.output("y")].values;
    const std::unique_ptr<runtime::Call> kernel = ops::kernels().find(*node.op)->make(
        {node, {{DType::f32, {rows()}}}, {{count}}, {count}, runtime::detected_isa()});
    const std::vector<float> floats(values.begin(), values.end());
    std::vector<std::int32_t> result(values.size());
    const auto* const bytes = reinterpret_cast<const std::byte*>(floats.data());
    runtime::CallArguments arguments;
    arguments.inputs = std::span(&bytes, 1);
    arguments.output = reinterpret_cast<std::byte*>(result.data());
    arguments.row_count = count;
    kernel->run(arguments);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double got = dtype == "u8" ? reinterpret_cast<const std::uint8_t*>(result.data())[i] : result[i];
      CHECK(got == wanted[i]);
    }
    return wanted;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(cast("i32", {1.9, -1.9, nan, 1e20, -1e20}) ==
        std::vector<double>{1, -1, 0, 2147483647, -2147483648.0});
  CHECK(cast("u8", {1.9, -1.9, 300}) == std::vector<double>{1, 0, 255});
}

TEST_CASE("a cast to the type that is there vanishes") {
  Maker maker;
  const Term x = maker.input("x", batch_of({2}));
  CHECK(output_node(canonical(maker, call("cast", {x}))).op->name == "input");
}

TEST_CASE("matmul takes a transposed operand as a flag") {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      Maker maker;
      const Term a = maker.input("a", shape({4, 4}));
      const Term b = maker.param("b", shape({4, 4}));
      const Term y = matmul(call("transpose", {a}), call("transpose", {b}), transpose_a, transpose_b);
      maker.output("y", y);
      const Graph before = maker.finish();
      const Graph after = apply_real_rules(before, ops::registry());
      const Node& node = output_node(after);
      CHECK(node.attributes.flag("transpose_a") == !transpose_a);
      CHECK(node.attributes.flag("transpose_b") == !transpose_b);
      CHECK(after.node(node.inputs[0]).op->name == "input");
      CHECK(after.node(node.inputs[1]).op->name == "param");
      check_same(before, after);
    }
  }
}

TEST_CASE("a sum over batch and other axes becomes rows first, then the batch") {
  for (const bool keepdims : {false, true}) {
    for (const std::vector<std::int64_t>& axes : {std::vector<std::int64_t>{0, 1, 2}, {0, 2}, {1, 0}}) {
      Maker maker;
      const Term x = maker.input("x", batch_of({3, 4}));
      maker.output("y", sum_over(x, axes, keepdims));
      const Graph before = maker.finish();
      const Graph after = apply_real_rules(before, ops::registry());
      const Node& rows_summed = output_node(after);
      CHECK(rows_summed.attributes.axes("axis") == Axes{false, {0}});
      const Node& per_row = after.node(rows_summed.inputs[0]);
      CHECK(per_row.op->name == "sum");
      CHECK(per_row.type.shape[0] == rows());
      check_same(before, after);
    }
  }
  Maker maker;
  const Term x = maker.input("x", batch_of({3}));
  CHECK(output_node(canonical(maker, sum_over(x, {}))).op->name == "input");
}

TEST_CASE("reshapes in a row are one, and to the same shape none") {
  Maker maker;
  const Term x = maker.input("x", batch_of({6}));
  const auto to = [](Term node, Shape of) { return call("reshape", {node}, {{"shape", std::move(of)}}); };
  const Term twice = to(to(x, batch_of({2, 3})), batch_of({3, 2}));
  const Graph graph = canonical(maker, twice);
  CHECK(output_node(graph).op->name == "reshape");
  CHECK(graph.node(output_node(graph).inputs[0]).op->name == "input");
  Maker back;
  const Term z = back.input("x", batch_of({6}));
  CHECK(output_node(canonical(back, to(to(z, batch_of({2, 3})), batch_of({6})))).op->name == "input");
  Maker same;
  const Term w = same.input("x", batch_of({6}));
  const Term repeated = call("broadcast_to", {w}, {{"shape", batch_of({6})}});
  CHECK(output_node(canonical(same, repeated)).op->name == "input");
}

TEST_CASE("costs count what is done") {
  const auto cost = [](const std::string& op, std::vector<Extents> inputs, const Extents& output,
                       const Attributes& attributes) {
    return ops::registry().get(op).cost({inputs, output, attributes});
  };
  const Cost product =
      cost("matmul", {{128, 784}, {784, 256}}, {128, 256}, {{"transpose_a", false}, {"transpose_b", false}});
  CHECK(product.flop == 2.0 * 128 * 784 * 256);
  CHECK(product.bytes == 4.0 * (128 * 784 + 784 * 256 + 128 * 256));
  const Cost weights =
      cost("matmul", {{128, 784}, {128, 256}}, {784, 256}, {{"transpose_a", true}, {"transpose_b", false}});
  CHECK(weights.flop == product.flop);
  CHECK(cost("sum", {{8, 4}}, {8}, {}).flop == 32);
  CHECK(cost("reshape", {{8, 4}}, {32}, {}).bytes == 0);
  const Cost adam = cost("adam_update", {{100}, {100}, {100}, {100}, {}, {}, {}}, {}, {});
  CHECK(adam.bytes == 4.0 * 100 * 7);  // reads w, m, v, g and writes w, m, v
}
