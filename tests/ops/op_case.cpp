#include "tests/ops/op_case.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "autograd/gradcheck.hpp"
#include "graph/op.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

HostTensor draw(const Operand& operand, std::int64_t rows, std::mt19937_64& random) {
  HostTensor tensor;
  tensor.extents = bind(operand.type.shape, rows);
  tensor.values.resize(static_cast<std::size_t>(element_count(tensor.extents)));
  for (double& value : tensor.values) {
    const double unit = static_cast<double>(random() >> 11) * 0x1.0p-53;
    const double drawn = operand.low + unit * (operand.high - operand.low);
    value =
        operand.type.dtype == DType::f32 ? static_cast<double>(static_cast<float>(drawn)) : std::floor(drawn);
  }
  return tensor;
}

bool close(double got, double wanted, double tolerance) {
  if (std::isnan(wanted) || std::isnan(got)) return std::isnan(wanted) == std::isnan(got);
  if (got == wanted) return true;
  return std::abs(got - wanted) <= tolerance * std::max(1.0, std::abs(wanted));
}

std::vector<Term> add_operands(Builder& builder, const OpCase& one) {
  std::vector<Term> terms;
  for (std::size_t i = 0; i < one.operands.size(); ++i) {
    const Type& type = one.operands[i].type;
    const Attributes attributes = {{"shape", type.shape}, {"dtype", std::string(to_string(type.dtype))}};
    terms.emplace_back(builder, builder.add("input", {}, attributes, {.name = operand_name(i)}));
  }
  return terms;
}

Term apply(Builder& builder, const OpCase& one, const std::vector<Term>& operands) {
  std::vector<NodeId> ids(operands.begin(), operands.end());
  return {builder, builder.add(one.op, std::move(ids), one.attributes)};
}

enum class Form {
  plain,            // y
  fan_out,          // y * y', two nodes that share the inputs
  same_operand,     // the op of its first operand everywhere
  first_derivative  // the gradient of y + y^2 / 2: checking its gradient checks second derivatives
};

/// A graph whose output "y" is the op in one of the forms; for first_derivative by operand `by`.
Graph build(const OpCase& one, Form form, std::size_t by = 0) {
  Builder builder(ops::registry());
  std::vector<Term> operands = add_operands(builder, one);
  if (form == Form::same_operand) std::fill(operands.begin(), operands.end(), operands.front());
  const Term y = apply(builder, one, operands);
  switch (form) {
    case Form::plain:
    case Form::same_operand:
      builder.output("y", y);
      break;
    case Form::fan_out:
      builder.output("y", y * apply(builder, one, operands));
      break;
    case Form::first_derivative:
      builder.output("y", call("grad", {y + 0.5 * (y * y), operands[by]}));
      break;
  }
  return std::move(builder).finish();
}

void check_types(const OpCase& one, const Graph& graph) {
  const Node& node = graph.node(graph.output("y"));
  if (one.type) CHECK(to_string(node.type) == to_string(*one.type));
  if (node.op->axes == nullptr) return;
  std::vector<Type> inputs;
  for (const NodeId input : node.inputs) inputs.push_back(graph.node(input).type);
  const std::vector<AxisMap> maps = node.op->axes({inputs, node.type, node.attributes});
  REQUIRE(maps.size() == inputs.size());
  for (std::size_t i = 0; i < maps.size(); ++i) {
    REQUIRE(maps[i].size() == inputs[i].shape.size());
    for (std::size_t axis = 0; axis < maps[i].size(); ++axis) {
      const std::int64_t to = maps[i][axis];
      if (to == contracted) continue;
      REQUIRE(to < static_cast<std::int64_t>(node.type.shape.size()));
    }
  }
}

// ---- Gradients -----------------------------------------------------------------------------------------

void check_gradient(const OpCase& one, const Graph& graph, const std::vector<std::string>& operands,
                    bool unit_cotangent) {
  InterpreterRun run;
  run.batch = one.batch;
  run.feeds = operand_values(one, one.batch);
  GradientCheckOptions options;
  options.unit_cotangent = unit_cotangent;
  for (const GradientCheck& result :
       check_gradients(graph, ops::registry(), "y", operands, {}, run, options)) {
    INFO("gradient by " << result.name << " at " << result.worst << ": analytic " << result.analytic
                        << ", numeric " << result.numeric << ", " << result.kinks << " kinks skipped");
    CHECK(result.ok);
  }
}

bool operands_alike(const OpCase& one) {
  return one.operands.size() > 1 &&
         std::all_of(one.operands.begin(), one.operands.end(), [&](const Operand& other) {
           const Operand& first = one.operands.front();
           return other.smooth && other.type == first.type && other.low == first.low && other.values.empty();
         });
}

void check_gradients_of(const OpCase& one) {
  const OpDef& op = ops::registry().get(one.op);
  const std::vector<std::string> operands = smooth_operands(one);
  if (!std::holds_alternative<Vjp>(op.gradient) || operands.empty()) return;
  const Graph plain = build(one, Form::plain);
  check_gradient(one, plain, operands, true);
  check_gradient(one, plain, operands, false);
  check_gradient(one, build(one, Form::fan_out), operands, false);
  if (operands_alike(one)) check_gradient(one, build(one, Form::same_operand), {operand_name(0)}, false);
  for (std::size_t by = 0; one.second && by < one.operands.size(); ++by) {
    if (std::find(operands.begin(), operands.end(), operand_name(by)) == operands.end()) continue;
    INFO("second derivative, first by " << operand_name(by));
    check_gradient(one, build(one, Form::first_derivative, by), operands, false);
  }
}

Shape shape_of(std::initializer_list<Dim> dims) {
  return dims;
}

/// Shapes of operands that broadcast with each other, for one, two and three operands.
std::vector<std::vector<Shape>> broadcasting_shapes(std::size_t count) {
  const Shape full = {batch, number(3)};
  const Shape row = {number(3)};
  const Shape column = {batch, number(1)};
  const Shape flat = {number(1), number(3)};
  const Shape scalar = {};
  if (count == 1)
    return {{full},        {scalar},
            {{number(1)}}, {{number(1), number(1)}},
            {{batch}},     {shape_of({number(2), batch, number(3)})}};
  if (count == 2) {
    return {{full, full},   {full, row},    {row, full},      {full, column},
            {column, full}, {full, flat},   {flat, full},     {full, scalar},
            {scalar, full}, {column, flat}, {scalar, scalar}, {{number(1)}, {number(1)}}};
  }
  return {{full, full, full},
          {full, row, full},
          {full, full, scalar},
          {column, full, row},
          {scalar, row, column}};
}

}  // namespace

std::string operand_name(std::size_t i) {
  return "x" + std::to_string(i);
}

std::string describe(const OpCase& one) {
  std::string text = one.op + "(";
  for (const Operand& operand : one.operands)
    text += (text.back() == '(' ? "" : ", ") + to_string(operand.type);
  for (const auto& [name, value] : one.attributes.entries()) text += ", " + name + "=" + to_string(value);
  return text + ") at batch " + std::to_string(one.batch);
}

std::map<std::string, HostTensor> operand_values(const OpCase& one, std::int64_t rows) {
  std::mt19937_64 random(one.op.size() * 1000 + one.operands.size());
  std::map<std::string, HostTensor> result;
  for (std::size_t i = 0; i < one.operands.size(); ++i) {
    const Operand& operand = one.operands[i];
    HostTensor tensor = draw(operand, rows, random);
    if (!operand.values.empty()) {
      REQUIRE(operand.values.size() == tensor.values.size());
      tensor.values = operand.values;
    }
    result.emplace(operand_name(i), std::move(tensor));
  }
  return result;
}

void compare(const std::vector<double>& got, const std::vector<double>& wanted, double tolerance) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (close(got[i], wanted[i], tolerance)) continue;
    INFO("element " << i << ": got " << got[i] << ", wanted " << wanted[i]);
    CHECK(close(got[i], wanted[i], tolerance));
  }
}

std::vector<std::string> smooth_operands(const OpCase& one) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < one.operands.size(); ++i) {
    const Operand& operand = one.operands[i];
    if (operand.smooth && operand.type.dtype == DType::f32) names.push_back(operand_name(i));
  }
  return names;
}

HostTensor reference(const OpCase& one, const Graph& graph, std::int64_t rows) {
  HostVariables none;
  InterpreterRun run;
  run.batch = rows;
  run.feeds = operand_values(one, rows);
  return interpret(graph, none, run).at(graph.output("y"));
}

NodeId add_op(Builder& builder, const OpCase& one) {
  return apply(builder, one, add_operands(builder, one));
}

bool has_drawn_operands(const OpCase& one) {
  return std::all_of(one.operands.begin(), one.operands.end(),
                     [](const Operand& operand) { return operand.values.empty(); });
}

Operand given(Shape shape, std::vector<double> values) {
  Operand operand;
  operand.type.shape = std::move(shape);
  operand.values = std::move(values);
  return operand;
}

std::vector<OpCase> over_shapes(const OpCase& original) {
  std::vector<OpCase> cases;
  for (const std::vector<Shape>& shapes : broadcasting_shapes(original.operands.size())) {
    OpCase& one = cases.emplace_back(original);
    for (std::size_t i = 0; i < shapes.size(); ++i) one.operands[i].type.shape = shapes[i];
  }
  return cases;
}

void check(const OpCase& one) {
  INFO(describe(one));
  const Graph graph = build(one, Form::plain);
  check_types(one, graph);
  const HostTensor value = reference(one, graph, one.batch);
  if (!one.expected.empty()) compare(value.values, one.expected, 1e-12);
  check_kernel(one, graph, one.batch);
  if (has_drawn_operands(one)) {
    check_kernel(one, graph, 0);
    check_kernel(one, graph, 1);
    check_kernel(one, graph, 37);
  }
  check_gradients_of(one);
}

void check(const ErrorCase& one) {
  OpCase built{.op = one.op, .operands = {}, .attributes = one.attributes};
  for (const Type& type : one.operands) built.operands.push_back({.type = type});
  INFO(describe(built));
  std::string message = "no error";
  try {
    build(built, Form::plain);
  } catch (const OpError& error) {
    message = error.message() + " " + error.fix();
  }
  INFO(message);
  CHECK(message.find(one.message) != std::string::npos);
}

}  // namespace graphrun::op_table
