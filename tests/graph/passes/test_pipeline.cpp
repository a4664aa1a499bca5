#include <algorithm>

#include "graph/passes/pipeline.hpp"
#include "graph/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

Graph example() {
  Maker m;
  const Term x = m.input("x", batch_of({3}));
  const Term once = call("tanh", {call("stop_gradient", {x}) * 1.0}, {}, {.name = "once"});
  const Term twice = call("tanh", {x}, {}, {.name = "twice"});
  m.output("y", call("add", {once, twice}, {}, {.name = "y"}));
  return m.finish();
}

const std::string executable =
    "%0 x = input(shape=[batch, 3])  f32[batch, 3]\n"
    "%1 once = tanh(%0 x)  f32[batch, 3]\n"
    "%2 y = add(%1 once, %1 once)  f32[batch, 3]\n"
    "output y = %2 y\n";

}  // namespace

TEST_CASE("the last passes leave a graph that can be lowered, and settle") {
  const Graph once = make_executable(example(), ops::registry());
  CHECK(to_text(once) == executable);
  const Graph again = make_executable(once, ops::registry());
  CHECK(same(once, again));
}

TEST_CASE("each pass is reported with its counts, and dumped if it changed something") {
  std::vector<std::string> reported;
  std::vector<std::string> dumped;
  PassOptions options;
  options.off = {"common_subexpressions"};
  options.report = [&](const PassReport& report) {
    CHECK(report.milliseconds >= 0);
    reported.push_back(report.name + (report.off ? " off" : report.changed ? " changed" : ""));
    if (report.name == "erase_forwards") {
      CHECK(report.nodes_before == 7);
      CHECK(report.nodes_after == 6);
    }
  };
  options.dump = [&](const std::string& pass, const Graph&) { dumped.push_back(pass); };
  const Graph graph = make_executable(example(), ops::registry(), options);
  CHECK(graph.size() == 4);  // both tanh are still there
  std::vector<std::string> expected;
  for (const Pass& pass : exact_passes()) {
    const bool first = std::ranges::find(dumped, pass.name) != dumped.end() &&
                       std::ranges::find(expected, pass.name + " changed") == expected.end();
    expected.push_back(pass.name + (options.off.contains(pass.name) ? " off" : first ? " changed" : ""));
  }
  CHECK(reported == expected);
  CHECK(dumped == std::vector<std::string>{"erase_forwards", "exact_identities"});
}

TEST_CASE("a pass that the next stage needs cannot be switched off") {
  PassOptions options;
  options.off = {"erase_forwards"};
  CHECK(throws([&] { make_executable(example(), ops::registry(), options); }, ErrorCode::usage,
               "the pass 'erase_forwards' cannot be switched off"));
}

TEST_CASE("a pass that breaks a graph is named") {
  const Pass breaks{"break_it", [](const Graph& graph, const OpRegistry&) { return graph; },
                    Stage::executable};
  CHECK(throws(
      [&] { run_passes(example(), ops::registry(), std::span(&breaks, 1)); }, ErrorCode::internal,
      "after break_it: stop_gradient is a mark for gradients, which no graph that is executable may hold"));
}

TEST_CASE("graphs are the same only if every part is") {
  const auto graph = [](double value, const std::string& name, const std::string& output) {
    Maker m;
    const Term x = m.input("x", batch_of({3}));
    m.output(output, call("mul", {x, m.number(value)}, {}, {.name = name}));
    return m.finish();
  };
  CHECK(same(graph(1, "a", "y"), graph(1, "a", "y")));
  CHECK_FALSE(same(graph(1, "a", "y"), graph(2, "a", "y")));
  CHECK_FALSE(same(graph(1, "a", "y"), graph(1, "b", "y")));
  CHECK_FALSE(same(graph(1, "a", "y"), graph(1, "a", "z")));
}
