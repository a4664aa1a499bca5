// Patterns of ops that one kernel runs.
#include <algorithm>
#include <string>

#include "graph/print.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/lower/lowering.hpp"
#include "tests/runtime/lowered.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using namespace graphrun::runtime::testing;

namespace {

NodeId add_tree(Builder& builder, const PatternTerm& term, const std::vector<NodeId>& names, bool commuted) {
  if (term.op.empty()) return names[term.name];
  std::vector<NodeId> inputs;
  for (const PatternTerm& input : term.inputs) inputs.push_back(add_tree(builder, input, names, commuted));
  if (commuted && ops::registry().get(term.op).traits.bitwise_commutative) std::ranges::reverse(inputs);
  Attributes attributes;
  if (term.op == "sum") attributes = {{"axis", Axes{false, {1}}}};
  return builder.add(term.op, inputs, attributes);
}

/// The tree of a pattern; the name numbered `scalar`, if there is one, is one number for all elements.
std::shared_ptr<const Graph> graph_of(const Pattern& pattern, bool commuted, std::size_t scalar) {
  Builder builder(ops::registry());
  std::vector<NodeId> names;
  for (std::size_t i = 0; i < pattern.names(); ++i) {
    const Shape shape = i == scalar ? Shape{} : Shape{n, k(605)};
    names.push_back(builder.add("input", {}, {{"shape", shape}}, {.name = "in" + std::to_string(i)}));
  }
  builder.output("y", add_tree(builder, pattern.root(), names, commuted));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

void check_form(const Pattern& pattern) {
  constexpr std::int64_t batch = 19;
  for (const bool commuted : {false, true}) {
    for (std::size_t scalar = 0; scalar <= pattern.names(); ++scalar) {
      if (scalar < pattern.names() && pattern.names() == 1) continue;
      const auto graph = graph_of(pattern, commuted, scalar);
      CAPTURE(to_text(*graph));
      // An op on that number alone stays outside.
      if (scalar == pattern.names()) CHECK(kernels_of(*graph, batch, pattern.root().op) == 1);
      const auto inputs = random_inputs(*graph, batch, 7);
      for (int isa = 0; isa <= static_cast<int>(detected_isa()); ++isa) {
        LoweringOptions fused;
        fused.isa = static_cast<Isa>(isa);
        LoweringOptions unfused = fused;
        unfused.fusion = false;
        CHECK(outputs_of(graph, batch, inputs, fused) == outputs_of(graph, batch, inputs, unfused));
      }
    }
  }
}

}  // namespace

TEST_CASE("loss value and gradient of the output are one pass over the output") {
  const auto graph = graphrun::testing::autoencoder({.widths = {8, 4}});
  CHECK(kernels_of(*graph, 32, "square") == 2);
  const std::string groups = groups_of(graph, 32);
  INFO(groups);
  // The last layer's slope, the squares and their sum over the row: one group that stores two values.
  const std::string line = line_with(groups, "square");
  CHECK(line.find("rows elementwise") != std::string::npos);
  CHECK(line.find("sum") != std::string::npos);
  CHECK(std::count(line.begin() + static_cast<std::ptrdiff_t>(line.find("->")), line.end(), ' ') == 2);
}

TEST_CASE("a fused form is one kernel and has the bits of its ops, as they stand and commuted") {
  for (const OpDef& op : ops::registry().ops()) {
    const KernelDef* const kernel = ops::kernels().find(op);
    if (kernel == nullptr) continue;
    for (const auto& form : kernel->forms) check_form(form.pattern);
    for (const auto& form : kernel->folds) check_form(form.pattern);
  }
}

TEST_CASE("what lies within a fused form may be wanted beside it, and a near miss is none") {
  Builder builder(ops::registry());
  const auto named = [&](const char* name) {
    return Term(builder, builder.add("input", {}, {{"shape", Shape{n, k(600)}}}, {.name = name}));
  };
  const Term g = named("g");
  const Term y = named("y");
  const Term z = named("z");
  const Term slope = y * (1.0 - y);
  builder.output("both", g * slope);
  builder.output("slope", slope);
  builder.output("other", g * (y * (1.0 - z)));
  const Term error = y - z;
  builder.output("errors", call("sum", {call("square", {error})}, {{"axis", Axes{false, {1}}}}));
  builder.output("next", error * g);
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  const auto inputs = random_inputs(*graph, 5, 1);
  LoweringOptions unfused;
  unfused.fusion = false;
  CHECK(outputs_of(graph, 5, inputs, {}) == outputs_of(graph, 5, inputs, unfused));
}

TEST_CASE("a pattern that cannot be read is refused") {
  for (const char* text : {"", "g", "mul(g", "mul(g, )", "mul(g) ", "sum(a, b, c, d, e)"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Pattern(text), Error);
  }
  CHECK(Pattern("mul(g, mul(y, sub(one, y)))").names() == 3);
}
