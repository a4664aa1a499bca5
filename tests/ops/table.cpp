// The table of all ops, compared with the registry: an op without a test, a gradient, a reference or
// documentation fails here.
#include <algorithm>
#include <set>

#include "graph/op.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {

std::vector<OpCase> all_cases() {
  std::vector<OpCase> all;
  for (std::vector<OpCase> (*group)() :
       {elementwise_cases, structure_cases, image_cases, statistics_cases, sequence_cases}) {
    const std::vector<OpCase> cases = group();
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

std::vector<std::string> tested_on_their_own() {
  std::vector<std::string> names = {"cast", "input",        "param", "during", "running_average",
                                    "grad", "check_finite", "assign"};
  for (const OpDef& op : ops::registry().ops())
    if (op.name.ends_with("_update")) names.push_back(op.name);
  return names;
}

}  // namespace graphrun::op_table

using namespace graphrun;

namespace {

bool in_range(const AttributeDeclaration& attribute) {
  if (const auto* number = std::get_if<double>(&*attribute.fallback))
    return attribute.range.contains(*number);
  const auto* integer = std::get_if<std::int64_t>(&*attribute.fallback);
  return integer == nullptr || attribute.range.contains(static_cast<double>(*integer));
}

}  // namespace

TEST_CASE("every op has a test") {
  std::set<std::string> tested;
  for (const op_table::OpCase& one : op_table::all_cases()) tested.insert(one.op);
  for (const std::string& name : op_table::tested_on_their_own()) tested.insert(name);
  for (const OpDef& op : ops::registry().ops()) {
    INFO(op.name);
    CHECK(tested.count(op.name) == 1);
  }
  for (const std::string& name : tested) {
    INFO(name);
    CHECK(ops::registry().find(name) != nullptr);
  }
}

TEST_CASE("every op says what it is, and declares its gradient") {
  for (const OpDef& op : ops::registry().ops()) {
    INFO(op.name);
    CHECK(!op.doc.empty());
    CHECK(op.doc.back() == '.');
    CHECK(!op.formula.empty());
    CHECK(!op.shapes.empty());
    CHECK(op.infer != nullptr);
    const auto* not_differentiable = std::get_if<NotDifferentiable>(&op.gradient);
    if (not_differentiable != nullptr) CHECK(not_differentiable->reason != "not declared");
    const bool has_value = !op.traits.input && !op.traits.variable && !op.traits.mode && !op.traits.gradient;
    CHECK((op.reference != nullptr) == has_value);
    for (const OperandDeclaration& input : op.inputs) CHECK(!input.doc.empty());
    for (const AttributeDeclaration& attribute : op.attributes) CHECK(!attribute.doc.empty());
    for (const AttributeDeclaration& attribute : op.attributes) {
      INFO(attribute.name);
      if (attribute.kind == AttributeKind::word) CHECK(!attribute.words.empty());
      const bool numbers =
          attribute.kind == AttributeKind::number || attribute.kind == AttributeKind::integer ||
          attribute.kind == AttributeKind::integers || attribute.kind == AttributeKind::integer_or_list;
      // Whatever clip limits to may be infinite.
      if (numbers && op.name != "clip") CHECK(attribute.range != Range{});
      if (attribute.fallback && numbers) CHECK(in_range(attribute));
    }
  }
}

TEST_CASE("every op that a plan can meet has a kernel") {
  for (const OpDef& op : ops::registry().ops()) {
    INFO(op.name);
    const bool computed = op.reference != nullptr && !op.traits.forwards_first;
    if (!computed) continue;
    const runtime::KernelDef* kernel = ops::kernels().find(op);
    REQUIRE(kernel != nullptr);
    CHECK((kernel->vector || kernel->make != nullptr || kernel->matmul || kernel->alias));
    if (kernel->vector) CHECK(kernel->vector->arity == static_cast<int>(op.inputs.size()));
  }
}
