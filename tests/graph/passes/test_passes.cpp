// Golden texts of the passes: a graph in, a graph out, nothing is run.
#include "graph/passes/apply_rules.hpp"
#include "graph/passes/cut.hpp"
#include "graph/passes/dead_nodes.hpp"
#include "graph/passes/only_output.hpp"
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
  const Graph graph = remove_dead_nodes(apply_exact_rules(m.finish(), registry()), registry());
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

TEST_CASE("real rules: the logarithm of a sigmoid becomes the stable form and keeps its name") {
  Maker m;
  const Term z = m.input("z", batch_of({3}));
  m.output("y", named("log", {named("sigmoid", {z}, "p")}, "y"));
  CHECK(to_text(apply_real_rules(m.finish(), registry())) ==
        "%0 z = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 y:neg = neg(%0 z)  f32[batch, 3]\n"
        "%2 y:softplus = softplus(%1 y:neg)  f32[batch, 3]\n"
        "%3 y = neg(%2 y:softplus)  f32[batch, 3]\n"
        "output y = %3 y\n");
}

TEST_CASE("real rules: a size without the batch is a constant") {
  Maker m;
  const Term x = m.input("x", batch_of({28, 28}));
  m.output("pixels", named("size", {x}, "pixels", {{"axis", Axes{false, {1, 2}}}}));
  m.output("all", named("size", {x}, "all"));
  CHECK(to_text(apply_real_rules(m.finish(), registry())) ==
        "%0 x = input(shape=[batch, 28, 28])  f32[batch, 28, 28]\n"
        "%1 pixels = constant(values=[784])  f32[]\n"
        "%2 all = size(%0 x)  f32[]\n"
        "output pixels = %1 pixels\n"
        "output all = %2 all\n");
}

TEST_CASE("real rules: a sum over rows and pixels is a sum per row, then over the rows") {
  Maker m;
  m.output("y", named("sum", {m.input("x", batch_of({3}))}, "y"));
  CHECK(to_text(apply_real_rules(m.finish(), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 y:sum = sum(%0 x, axis=[1])  f32[batch]\n"
        "%2 y = sum(%1 y:sum, axis=[0])  f32[]\n"
        "output y = %2 y\n");
}

TEST_CASE("rewrites that do not settle are an internal error, not a hang") {
  std::vector<OpDef> defs = registry().ops();
  for (OpDef& op : defs) {
    if (op.name == "exp" || op.name == "tanh") {
      op.rules = {{"there_and_back_by_" + op.name, Phase::real, [](RuleContext& context) {
                     const bool is_exp = context.node.op->name == "exp";
                     return std::optional(context.builder.add(is_exp ? "tanh" : "exp", context.node.inputs));
                   }}};
    }
    if (op.name == "sqrt") {
      op.rules = {{"one_for_all", Phase::real,
                   [](RuleContext& context) { return std::optional(context.builder.constant(1)); }}};
    }
  }
  const OpRegistry faulty(std::move(defs));
  const auto run = [&](const std::string& op) {
    Builder builder(faulty);
    const NodeId x = builder.add("input", {}, {{"shape", batch_of({3})}});
    builder.output("y", builder.add(op, {x}, {}, {.name = "y"}));
    apply_real_rules(std::move(builder).finish(), faulty);
  };
  CHECK(throws([&] { run("exp"); }, ErrorCode::internal, "do not settle"));
  CHECK(throws([&] { run("sqrt"); }, ErrorCode::internal,
               "node 'y': the rule 'one_for_all' changes the type of sqrt from f32[batch, 3] to f32[]"));
}

TEST_CASE("a rule is not asked of a node with an attribute that it does not keep") {
  std::vector<OpDef> defs = registry().ops();
  for (OpDef& op : defs) {
    if (op.name != "leaky_relu") continue;
    op.rules = {{"relu_of_no_slope", Phase::real, [](RuleContext& context) {
                   return std::optional(context.builder.add("relu", context.node.inputs));
                 }}};
  }
  const OpRegistry ops(std::move(defs));
  const auto op_of = [&](double slope) {
    Builder builder(ops);
    const NodeId x = builder.add("input", {}, {{"shape", batch_of({3})}});
    builder.output("y", builder.add("leaky_relu", {x}, {{"slope", slope}}));
    const Graph graph = apply_real_rules(std::move(builder).finish(), ops);
    return graph.node(graph.output("y")).op->name;
  };
  CHECK(op_of(0.01) == "relu");  // the default
  CHECK(op_of(0.3) == "leaky_relu");
}

TEST_CASE("a rule that is declared wrongly is an internal error") {
  const auto with = [](Rule rule, const std::string& name) {
    std::vector<OpDef> defs = registry().ops();
    for (OpDef& op : defs) {
      if (op.name == name) op.rules.push_back(rule);
    }
    const OpRegistry ops(std::move(defs));
  };
  CHECK(throws([&] { with({.name = "times_one", .rewrite = {}}, "exp"); }, ErrorCode::internal,
               "has the name of another"));
  CHECK(throws([&] { with({.name = "new", .rewrite = {}, .keeps = {"slope"}}, "exp"); }, ErrorCode::internal,
               "keeps 'slope', which is no attribute"));
  CHECK(throws([&] { with({.name = "new", .rewrite = {}}, "one_hot"); }, ErrorCode::internal,
               "does not keep 'depth', which has no default"));
}

TEST_CASE("erase forwards: marks for gradients stand for their first input") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term stopped = named("stop_gradient", {named("exp", {x}, "e")}, "stopped");
  const Term through = named("straight_through", {stopped, x}, "through");
  m.output("y", named("tanh", {through}, "y"));
  CHECK(to_text(only_pass("erase_forwards", m.finish())) ==
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
  CHECK(to_text(only_pass("common_subexpressions", m.finish())) ==
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

TEST_CASE("common subexpressions: the larger of 0 and -0 is not that of -0 and 0") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term y = m.input("y", batch_of({3}));
  for (const std::string op : {"maximum", "minimum"}) {
    m.output(op, call(op, {x, y}));
    m.output(op + " again", call(op, {y, x}));
  }
  const Graph graph = m.finish();
  CHECK(only_pass("common_subexpressions", graph).size() == graph.size());
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
  CHECK(to_text(only_pass("common_subexpressions", graph)) == to_text(graph));
}

TEST_CASE("fold constants: small nodes of constants alone, as far as f32 rounds once") {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term third = named("div", {m.number(1.0), m.number(3.0)}, "third");
  const Term sixth = named("div", {third, m.number(2.0)}, "sixth");  // kernels would round twice
  m.output("y", named("mul", {x, sixth}, "y"));
  const Term pair = named("broadcast_to", {m.number(2.0)}, "pair", {{"shape", shape({2})}});
  m.output("root", named("sqrt", {pair * 8.0}, "root"));
  m.output("exp", named("exp", {m.number(0.5)}, "exp"));
  m.output("large", named("mul", {m.number(0x1p100), m.number(0x1p100)}, "large"));  // infinite in f32
  CHECK(to_text(remove_dead_nodes(only_pass("fold_constants", m.finish()), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 third = constant(values=[0.3333333333333333])  f32[]\n"
        "%2 constant:4 = constant(values=[2])  f32[]\n"
        "%3 sixth = div(%1 third, %2 constant:4)  f32[]\n"
        "%4 y = mul(%0 x, %3 sixth)  f32[batch, 3]\n"
        "%5 root = constant(values=[4], shape=[2])  f32[2]\n"
        "%6 constant:12 = constant(values=[0.5])  f32[]\n"
        "%7 exp = exp(%6 constant:12)  f32[]\n"
        "%8 constant:14 = constant(values=[1.2676506002282294e+30])  f32[]\n"
        "%9 constant:15 = constant(values=[1.2676506002282294e+30])  f32[]\n"
        "%10 large = mul(%8 constant:14, %9 constant:15)  f32[]\n"
        "output y = %4 y\n"
        "output root = %5 root\n"
        "output exp = %7 exp\n"
        "output large = %10 large\n");
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
  CHECK(to_text(only_pass("fold_constants", graph)) == to_text(graph));
}

TEST_CASE("exact rules: what changes no bit goes") {
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

TEST_CASE("exact rules: three transpositions that go round are none, two others are one") {
  Maker m;
  const Term x = m.input("x", shape({2, 3, 4}));
  const auto turned = [](Term t) {
    return call("transpose", {t}, {{"axes", std::vector<std::int64_t>{1, 2, 0}}});
  };
  m.output("one", turned(turned(x)));
  m.output("none", turned(turned(turned(x))));
  const Graph graph = apply_exact_rules(m.finish(), registry());
  CHECK(graph.node(graph.output("none")).name == "x");
  const Node& one = graph.node(graph.output("one"));
  CHECK(graph.node(one.inputs[0]).name == "x");
  CHECK(one.attributes.integers("axes") == std::vector<std::int64_t>{2, 0, 1});
  CHECK(to_string(one.type) == "f32[4, 2, 3]");
}

TEST_CASE("exact rules: what might change a bit or a type stays") {
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
  CHECK(to_text(remove_dead_nodes(only_pass("implicit_broadcasts", m.finish()), registry())) ==
        "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
        "%1 s = input(shape=[])  f32[]\n"
        "%2 z = add(%0 x, %1 s)  f32[batch, 3]\n"
        "%3 y:constant = constant(values=[2])  f32[]\n"
        "%4 y = mul(%2 z, %3 y:constant)  f32[batch, 3]\n"
        "output y = %4 y\n");
}

TEST_CASE("implicit broadcasts: what no operand fills is computed small, and repeated late") {
  Maker m;
  const Term row = m.input("row", shape({3}));
  const Term wide = named("broadcast_to", {row}, "wide", {{"shape", batch_of({3})}});
  m.output("both", named("mul", {wide, wide}, "both"));
  m.output("product", named("matmul", {wide, m.param("w", shape({3, 3}))}, "product"));
  CHECK(to_text(remove_dead_nodes(only_pass("implicit_broadcasts", m.finish()), registry())) ==
        "%0 row = input(shape=[3])  f32[3]\n"
        "%1 wide = broadcast_to(%0 row, shape=[batch, 3])  f32[batch, 3]\n"
        "%2 both:mul = mul(%0 row, %0 row)  f32[3]\n"
        "%3 both = broadcast_to(%2 both:mul, shape=[batch, 3])  f32[batch, 3]\n"
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
  const Graph graph = remove_dead_nodes(only_pass("implicit_broadcasts", m.finish()), registry());
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
  CHECK(to_text(only_pass("implicit_broadcasts", graph)) == to_text(graph));
}
