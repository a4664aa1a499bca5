#include "graph/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

template <class Make>
bool fails(Make make, Stage stage, const std::string& message) {
  Maker m;
  make(m, m.input("x", batch_of({3})));
  const Graph graph = m.finish();
  return throws([&] { verify(graph, stage, "a_pass"); }, ErrorCode::internal, "after a_pass: " + message);
}

template <class Make>
std::string legal_stages(Make make) {
  Maker m;
  make(m, m.input("x", batch_of({3})));
  const Graph graph = m.finish();
  std::string stages;
  for (const Stage stage : {Stage::built, Stage::specialised, Stage::differentiable, Stage::executable}) {
    stages += thrown([&] { verify(graph, stage, "a_pass"); }) ? '-' : '+';
  }
  return stages;
}

void assign(Maker& m, Term variable) {
  m.builder.add("assign", {variable, m.number(1.0)});
}

}  // namespace

TEST_CASE("what is legal at which stage: built, specialised, differentiable, executable") {
  CHECK(legal_stages([](Maker&, Term x) { call("exp", {x}); }) == "++++");
  CHECK(legal_stages([](Maker&, Term x) { call("during", {x, x}); }) == "+---");
  CHECK(legal_stages([](Maker&, Term x) { gradient(x, x); }) == "++--");
  CHECK(legal_stages([](Maker&, Term x) { call("stop_gradient", {x}); }) == "+++-");
  CHECK(legal_stages([](Maker&, Term x) { call("straight_through", {x, x}); }) == "+++-");
  CHECK(legal_stages([](Maker& m, Term) { assign(m, m.param("v", {})); }) == "--++");
}

TEST_CASE("an illegal node is named with the stage") {
  CHECK(fails(
      [](Maker&, Term x) {
        call("during", {x, x});
      },
      Stage::executable, "during is a choice of mode, which no graph that is executable may hold"));
}

TEST_CASE("a variable has one writer, and only variables are written") {
  CHECK(fails(
      [](Maker& m, Term) {
        const Term v = m.param("v", {});
        assign(m, v);
        assign(m, v);
      },
      Stage::executable, "it writes the variable 'v', and so does 'assign:"));
  CHECK(fails(
      [](Maker& m, Term x) {
        m.builder.add("assign", {call("exp", {x}), x});
      },
      Stage::executable, "it writes 'exp:1', which is no variable"));
}

TEST_CASE("outputs are values and have names of their own") {
  CHECK(fails(
      [](Maker& m, Term x) {
        m.output("y", x);
        m.output("y", x);
      },
      Stage::built, "two outputs are 'y'"));
  CHECK(fails(
      [](Maker& m, Term x) {
        m.output("y", Term(m.builder, m.builder.add("check_finite", {x}, {}, {.name = "finite"})));
      },
      Stage::executable, "the output 'y' is an effect"));
}

TEST_CASE("an effect has no value to use") {
  CHECK(fails(
      [](Maker& m, Term x) {
        const NodeId effect = m.builder.add("check_finite", {x});
        call("stop_gradient", {Term(m.builder, effect)});
      },
      Stage::differentiable, "it uses the value of an effect, which has none"));
}

TEST_CASE("the type is the one that the op infers") {
  static bool lie = false;  // an op whose shape rule changes its mind
  std::vector<OpDef> defs = ops::registry().ops();
  for (OpDef& op : defs) {
    if (op.name != "exp") continue;
    op.infer = [](const InferContext& context) { return lie ? Type{DType::f32, {}} : context.inputs[0]; };
  }
  const OpRegistry registry(std::move(defs));
  Builder builder(registry);
  builder.add("exp", {builder.add("input", {}, {{"shape", batch_of({3})}})});
  const Graph graph = std::move(builder).finish();
  verify(graph, Stage::built, "a_pass");
  lie = true;
  CHECK(throws([&] { verify(graph, Stage::built, "a_pass"); }, ErrorCode::internal,
               "its type is f32[batch, 3], but exp infers f32[]"));
}
