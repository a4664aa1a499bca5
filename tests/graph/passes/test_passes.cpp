// Golden texts of the passes: a graph in, a graph out, nothing is run.
#include "graph/passes/canonicalise.hpp"
#include "graph/passes/common_subexpressions.hpp"
#include "graph/passes/cut.hpp"
#include "graph/passes/dead_nodes.hpp"
#include "graph/passes/erase_forwards.hpp"
#include "graph/passes/exact_identities.hpp"
#include "graph/passes/fold_constants.hpp"
#include "graph/passes/implicit_broadcasts.hpp"
#include "graph/passes/specialise_mode.hpp"
#include "graph/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

const OpRegistry& registry() {
  return ops::registry();
}

Term named(std::string_view op, std::initializer_list<Term> inputs, std::string name,
           Attributes attributes = {}) {
  return call(op, inputs, std::move(attributes), {.name = std::move(name)});
}

Attributes filled_with(double value, Shape of) {
  return {{"values", std::vector<double>{value}}, {"shape", std::move(of)}};
}

/// What the exact identities leave of "y", a function of x: f32[batch, 3].
template <class Make>
std::string simplified(Make make) {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  m.output("y", make(m, x));
  const Graph graph = remove_dead_nodes(apply_exact_identities(m.finish(), registry()), registry());
  return to_text(graph);
}

const std::string input_alone =
    "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
    "output y = %0 x\n";

}  // namespace

TEST_CASE("dead nodes: what no output and no effect needs goes") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term w = m.param("w", shape({3}));
  named("exp", {x}, "unused");
  m.output("y", named("mul", {x, w}, "y"));
  const Term loss = named("sum", {x}, "loss");
  m.builder.add("check_finite", {loss}, {}, {.name = "finite"});
  CHECK(to_text(remove_dead_nodes(m.finish(), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 w = param(shape=[3])  f32[3]\n"
        "%2 y = mul(%0 x, %1 w)  f32[batch, 3]\n"
        "%3 loss = sum(%0 x)  f32[]\n"
        "%4 finite = check_finite(%3 loss)\n"
        "output y = %2 y\n");
}

TEST_CASE("dead nodes: what an effect waits for stays") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term waited(m.builder, m.builder.add("exp", {x}, {}, {.name = "waited for"}));
  m.builder.add("check_finite", {x}, {}, {.name = "finite", .controls = {waited}});
  CHECK(remove_dead_nodes(m.finish(), registry()).size() == 3);
}

TEST_CASE("dead nodes: one output alone, without the effects") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  m.output("other", named("exp", {x}, "e"));
  m.output("y", named("tanh", {x}, "t"));
  m.builder.add("check_finite", {x}, {}, {.name = "finite"});
  CHECK(to_text(only_output(m.finish(), registry(), "y")) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 t = tanh(%0 x)  f32[batch, 3]\n"
        "output y = %1 t\n");
}

TEST_CASE("specialise mode: a choice becomes the one that is asked for") {
  const auto graph = [](const std::string& when) {
    Maker m;
    const Term x = m.input("x", batch_of({3}));
    const Term noisy = named("exp", {x}, "noisy");
    const Term chosen = named("during", {noisy, x}, "chosen", {{"when", when}});
    m.output("y", named("tanh", {chosen}, "y"));
    return m.finish();
  };
  const std::string with_noise =
      "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
      "%1 noisy = exp(%0 x)  f32[batch, 3]\n"
      "%2 y = tanh(%1 noisy)  f32[batch, 3]\n"
      "output y = %2 y\n";
  const std::string without =
      "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
      "%1 y = tanh(%0 x)  f32[batch, 3]\n"
      "output y = %1 y\n";
  CHECK(to_text(specialise_mode(graph("train"), registry(), Mode::train)) == with_noise);
  CHECK(to_text(specialise_mode(graph("train"), registry(), Mode::evaluate)) == without);
  CHECK(to_text(specialise_mode(graph("always"), registry(), Mode::evaluate)) == with_noise);
}

TEST_CASE("cut: a fed node becomes an input of its name and type") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term code = named("matmul", {x, m.param("w", shape({3, 2}))}, "code");
  m.output("image", named("sigmoid", {code}, "image"));
  const Graph graph = m.finish();
  const std::vector<std::string> fed = {"code"};
  CHECK(to_text(cut(graph, registry(), fed)) ==
        "%0 code = input(shape=[batch, 2])  f32[batch, 2]\n"
        "%1 image = sigmoid(%0 code)  f32[batch, 2]\n"
        "output image = %1 image\n");
  const std::vector<std::string> inputs = {"x"};
  CHECK(to_text(cut(graph, registry(), inputs)) == to_text(graph));
  const std::vector<std::string> unknown = {"x", "codes"};
  CHECK(throws([&] { cut(graph, registry(), unknown); }, ErrorCode::usage, "no node is called 'codes'"));
}

TEST_CASE("canonicalise: the logarithm of a sigmoid becomes the stable form and keeps its name") {
  Maker m;
  const Term z = m.input("z", batch_of({3}));
  m.output("y", named("log", {named("sigmoid", {z}, "p")}, "y"));
  CHECK(to_text(canonicalise(m.finish(), registry())) ==
        "%0 z = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 y/neg = neg(%0 z)  f32[batch, 3]\n"
        "%2 y/softplus = softplus(%1 y/neg)  f32[batch, 3]\n"
        "%3 y = neg(%2 y/softplus)  f32[batch, 3]\n"
        "output y = %3 y\n");
}

TEST_CASE("canonicalise: a size without the batch is a constant") {
  Maker m;
  const Term x = m.input("x", batch_of({28, 28}));
  m.output("pixels", named("size", {x}, "pixels", {{"axis", Axes{false, {1, 2}}}}));
  m.output("all", named("size", {x}, "all"));
  CHECK(to_text(canonicalise(m.finish(), registry())) ==
        "%0 x = input(shape=[batch, 28, 28])  f32[batch, 28, 28]\n"
        "%1 pixels = constant(values=[784])  f32[]\n"
        "%2 all = size(%0 x)  f32[]\n"
        "output pixels = %1 pixels\n"
        "output all = %2 all\n");
}

TEST_CASE("canonicalise: a sum over rows and pixels is a sum per row, then over the rows") {
  Maker m;
  m.output("y", named("sum", {m.input("x", batch_of({3}))}, "y"));
  CHECK(to_text(canonicalise(m.finish(), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 y/sum = sum(%0 x, axis=[1])  f32[batch]\n"
        "%2 y = sum(%1 y/sum, axis=[0])  f32[]\n"
        "output y = %2 y\n");
}

TEST_CASE("rewrites that do not settle are an internal error, not a hang") {
  std::vector<OpDef> defs = registry().ops();
  for (OpDef& op : defs) {
    if (op.name == "exp" || op.name == "tanh") {
      op.canonicalise = [](CanonicaliseContext& context) -> std::optional<NodeId> {
        const bool is_exp = context.node.op->name == "exp";
        return context.builder.add(is_exp ? "tanh" : "exp", context.node.inputs);
      };
    }
    if (op.name == "sqrt") {
      op.canonicalise = [](CanonicaliseContext& context) -> std::optional<NodeId> {
        return context.builder.constant(1);
      };
    }
  }
  const OpRegistry faulty(std::move(defs));
  const auto run = [&](const std::string& op) {
    Builder builder(faulty);
    const NodeId x = builder.add("input", {}, {{"shape", batch_of({3})}});
    builder.output("y", builder.add(op, {x}, {}, {.name = "y"}));
    canonicalise(std::move(builder).finish(), faulty);
  };
  CHECK(throws([&] { run("exp"); }, ErrorCode::internal, "do not settle"));
  CHECK(throws([&] { run("sqrt"); }, ErrorCode::internal,
               "node 'y': a rewrite of sqrt changes its type from f32[batch, 3] to f32[]"));
}

TEST_CASE("erase forwards: marks for gradients stand for their first input") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term stopped = named("stop_gradient", {named("exp", {x}, "e")}, "stopped");
  const Term through = named("straight_through", {stopped, x}, "through");
  m.output("y", named("tanh", {through}, "y"));
  CHECK(to_text(erase_forwards(m.finish(), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 e = exp(%0 x)  f32[batch, 3]\n"
        "%2 y = tanh(%1 e)  f32[batch, 3]\n"
        "output y = %2 y\n");
}

TEST_CASE("common subexpressions: the first of equal nodes stays") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term y = m.input("y", batch_of({3}));
  const Term a = named("add", {x, y}, "a");
  const Term b = named("add", {y, x}, "b");  // add is commutative
  const Term c = named("sub", {x, y}, "c");
  const Term d = named("sub", {y, x}, "d");  // sub is not
  m.output("p", named("mul", {a, c}, "p"));
  m.output("q", named("mul", {b, c}, "q"));
  m.output("r", named("mul", {b, d}, "r"));
  CHECK(to_text(merge_common_subexpressions(m.finish(), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 y = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%2 a = add(%0 x, %1 y)  f32[batch, 3]\n"
        "%3 c = sub(%0 x, %1 y)  f32[batch, 3]\n"
        "%4 d = sub(%1 y, %0 x)  f32[batch, 3]\n"
        "%5 p = mul(%2 a, %3 c)  f32[batch, 3]\n"
        "%6 r = mul(%2 a, %4 d)  f32[batch, 3]\n"
        "output p = %5 p\n"
        "output q = %5 p\n"
        "output r = %6 r\n");
}

TEST_CASE(
    "common subexpressions: not merged are other attributes, signs of zero, variables, effects, draws") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term w = m.param("w", shape({3}));
  const Term v = m.param("v", shape({3}));
  m.output("rows", sum_over(x, {0}));
  m.output("columns", sum_over(x, {1}));
  m.output("zero", m.number(0.0));
  m.output("minus zero", m.number(-0.0));
  m.output("w", w);
  m.output("v", v);
  const Term waits(m.builder, m.builder.add("exp", {x}, {}, {.controls = {w}}));
  const Term waits_longer(m.builder, m.builder.add("exp", {x}, {}, {.controls = {w, v}}));
  m.output("waits", waits);
  m.output("waits longer", waits_longer);
  m.builder.add("check_finite", {x});
  m.builder.add("check_finite", {x});
  for (const std::string name : {"first draw", "second draw"}) {
    m.builder.output(name, m.builder.add("random_normal", {}, {{"shape", batch_of({3})}}));
  }
  const Graph graph = m.finish();
  CHECK(to_text(merge_common_subexpressions(graph, registry())) == to_text(graph));
}

TEST_CASE("fold constants: small nodes of constants alone are computed in f64") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term third = named("div", {m.number(1.0), m.number(3.0)}, "third");
  m.output("y", named("mul", {x, named("exp", {third}, "e")}, "y"));
  CHECK(to_text(remove_dead_nodes(fold_constants(m.finish(), registry()), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 e = constant(values=[1.3956124250860895])  f32[]\n"
        "%2 y = mul(%0 x, %1 e)  f32[batch, 3]\n"
        "output y = %2 y\n");
}

TEST_CASE("fold constants: neither large nor batch-dependent nor drawn values") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term scalar = m.number(2.0);
  m.output("large", named("broadcast_to", {scalar}, "large", {{"shape", shape({1000})}}));
  m.output("rows", named("broadcast_to", {scalar}, "rows", {{"shape", batch_of({})}}));
  m.output("count", named("size", {x}, "count"));
  m.output("stopped", named("stop_gradient", {scalar}, "stopped"));
  const Graph graph = m.finish();
  CHECK(to_text(fold_constants(graph, registry())) == to_text(graph));
}

TEST_CASE("exact identities: what changes no bit goes") {
  CHECK(simplified([](Maker&, Term x) { return x * 1.0; }) == input_alone);
  CHECK(simplified([](Maker&, Term x) { return 1.0 * x; }) == input_alone);
  CHECK(simplified([](Maker&, Term x) { return x / 1.0; }) == input_alone);
  CHECK(simplified([](Maker&, Term x) { return x - 0.0; }) == input_alone);
  CHECK(simplified([](Maker&, Term x) { return -(-x); }) == input_alone);
  CHECK(simplified([](Maker&, Term x) { return -(-((x * 1.0) - 0.0)); }) == input_alone);
  CHECK(simplified([](Maker&, Term x) { return call("transpose", {call("transpose", {x})}); }) ==
        input_alone);
  CHECK(simplified([](Maker&, Term x) {
          return call("reshape", {call("reshape", {x}, {{"shape", batch_of({3, 1})}})},
                      {{"shape", batch_of({3})}});
        }) == input_alone);
  CHECK(simplified([](Maker&, Term x) {
          return call("broadcast_to", {x}, {{"shape", batch_of({3})}});
        }) == input_alone);
  CHECK(simplified([](Maker& m, Term x) {  // ones of any shape that keeps x's
          return x * Term(m.builder, m.builder.add("constant", {}, filled_with(1.0, batch_of({3}))));
        }) == input_alone);
}

TEST_CASE("exact identities: three transpositions that go round are none, two others are one") {
  Maker m;
  const Term x = m.input("x", shape({2, 3, 4}));
  const auto turned = [](Term t) {
    return call("transpose", {t}, {{"axes", std::vector<std::int64_t>{1, 2, 0}}});
  };
  m.output("one", turned(turned(x)));
  m.output("none", turned(turned(turned(x))));
  const Graph graph = apply_exact_identities(m.finish(), registry());
  CHECK(graph.node(graph.output("none")).name == "x");
  const Node& one = graph.node(graph.output("one"));
  CHECK(graph.node(one.inputs[0]).name == "x");
  CHECK(one.attributes.integers("axes") == std::vector<std::int64_t>{2, 0, 1});
  CHECK(to_string(one.type) == "f32[4, 2, 3]");
}

TEST_CASE("exact identities: what might change a bit or a type stays") {
  const auto stays = [](auto make) { return simplified(make) != input_alone; };
  CHECK(stays([](Maker&, Term x) { return x + 0.0; }));   // -0 + 0 is 0
  CHECK(stays([](Maker&, Term x) { return x - -0.0; }));  // the same
  CHECK(stays([](Maker&, Term x) { return x * 0.0; }));   // NaN and infinity
  CHECK(stays([](Maker&, Term x) { return x * -1.0; }));
  CHECK(stays([](Maker&, Term x) { return 1.0 / x; }));
  CHECK(stays([](Maker&, Term x) { return 0.0 - x; }));
  CHECK(stays([](Maker& m, Term x) {  // not every zero is a plain one
    return x - Term(m.builder,
                    m.builder.add("constant", {},
                                  {{"values", std::vector<double>{0.0, -0.0, 0.0}}, {"shape", shape({3})}}));
  }));
  CHECK(stays([](Maker& m, Term x) {  // the ones make it larger
    return x * Term(m.builder, m.builder.add("constant", {}, filled_with(1.0, batch_of({1, 3}))));
  }));
}

TEST_CASE("implicit broadcasts: an elementwise op uses what was repeated") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term s = m.input("s", {});
  const Term wide = named("broadcast_to", {s}, "wide", {{"shape", batch_of({3})}});
  const Term twos(m.builder,
                  m.builder.add("constant", {}, filled_with(2.0, batch_of({3})), {.name = "twos"}));
  m.output("y", named("mul", {named("add", {x, wide}, "z"), twos}, "y"));
  CHECK(to_text(remove_dead_nodes(use_implicit_broadcasts(m.finish(), registry()), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 s = input(shape=[])  f32[]\n"
        "%2 z = add(%0 x, %1 s)  f32[batch, 3]\n"
        "%3 y/constant = constant(values=[2])  f32[]\n"
        "%4 y = mul(%2 z, %3 y/constant)  f32[batch, 3]\n"
        "output y = %4 y\n");
}

TEST_CASE("implicit broadcasts: what no operand fills is computed small, and repeated late") {
  Maker m;
  const Term row = m.input("row", shape({3}));
  const Term wide = named("broadcast_to", {row}, "wide", {{"shape", batch_of({3})}});
  m.output("both", named("mul", {wide, wide}, "both"));
  m.output("product", named("matmul", {wide, m.param("w", shape({3, 3}))}, "product"));
  CHECK(to_text(remove_dead_nodes(use_implicit_broadcasts(m.finish(), registry()), registry())) ==
        "%0 row = input(shape=[3])  f32[3]\n"
        "%1 wide = broadcast_to(%0 row, shape=[batch, 3])  f32[batch, 3]\n"
        "%2 both/mul = mul(%0 row, %0 row)  f32[3]\n"
        "%3 both = broadcast_to(%2 both/mul, shape=[batch, 3])  f32[batch, 3]\n"
        "%4 w = param(shape=[3, 3])  f32[3, 3]\n"
        "%5 product = matmul(%1 wide, %4 w)  f32[batch, 3]\n"
        "output both = %3 both\n"
        "output product = %5 product\n");
}

TEST_CASE("implicit broadcasts: the cotangent of a mean of means is one number") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term s = m.input("s", {});
  const auto reshaped = [](Term t, Shape to) { return call("reshape", {t}, {{"shape", std::move(to)}}); };
  const auto repeated_to = [](Term t, Shape to) {
    return call("broadcast_to", {t}, {{"shape", std::move(to)}});
  };
  const Term rows_ = repeated_to(reshaped(s, shape({1})), batch_of({})) / 3.0;
  const Term all = -repeated_to(reshaped(rows_, batch_of({1})), batch_of({3}));
  m.output("y", named("mul", {all, x}, "y"));
  m.output("all", all);
  const Graph graph = remove_dead_nodes(use_implicit_broadcasts(m.finish(), registry()), registry());
  const Node& y = graph.node(graph.output("y"));
  CHECK(to_string(graph.node(y.inputs[0]).type) == "f32[]");
  CHECK(graph.node(y.inputs[1]).name == "x");
  CHECK(to_string(graph.node(graph.output("all")).type) == "f32[batch, 3]");
  CHECK(graph.size() == 7);  // x, s, 3, s / 3, its negative, that repeated, y
}

TEST_CASE("implicit broadcasts: what was larger than one number keeps its order") {
  Maker m;
  const Term row = m.input("row", shape({3}));
  const Term wide = named("broadcast_to", {row}, "wide", {{"shape", shape({2, 3})}});
  m.output("turned", named("transpose", {wide}, "turned"));
  m.output("flat", named("reshape", {wide}, "flat", {{"shape", shape({6})}}));
  const Graph graph = m.finish();
  CHECK(to_text(use_implicit_broadcasts(graph, registry())) == to_text(graph));
}
