#include "tests/ops/op_case.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>

#include "autograd/gradcheck.hpp"
#include "graph/op.hpp"
#include "graph/term.hpp"
#include "ops/elementwise.hpp"
#include "ops/op.hpp"
#include "runtime/kernel.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

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

/// The operands' values by the name of their input nodes; the same at every run.
std::map<std::string, HostTensor> feeds(const OpCase& one, std::int64_t rows) {
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

HostTensor reference(const OpCase& one, const Graph& graph, std::int64_t rows) {
  HostVariables none;
  InterpreterRun run;
  run.batch = rows;
  run.feeds = feeds(one, rows);
  return interpret(graph, none, run).at(graph.output("y"));
}

bool close(double got, double wanted, double tolerance) {
  if (std::isnan(wanted) || std::isnan(got)) return std::isnan(wanted) == std::isnan(got);
  if (got == wanted) return true;
  return std::abs(got - wanted) <= tolerance * std::max(1.0, std::abs(wanted));
}

void compare(const std::vector<double>& got, const std::vector<double>& wanted, double tolerance) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (close(got[i], wanted[i], tolerance)) continue;
    INFO("element " << i << ": got " << got[i] << ", wanted " << wanted[i]);
    CHECK(close(got[i], wanted[i], tolerance));
  }
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

// ---- Kernels -------------------------------------------------------------------------------------------

std::vector<std::byte> to_bytes(const HostTensor& tensor, DType dtype) {
  std::vector<std::byte> bytes(tensor.values.size() * bytes_of(dtype));
  const auto store = [&](auto zero) {
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      const auto value = static_cast<decltype(zero)>(tensor.values[i]);
      std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
    }
  };
  if (dtype == DType::f32) store(float{});
  if (dtype == DType::i32) store(std::int32_t{});
  if (dtype == DType::u8) store(std::uint8_t{});
  return bytes;
}

std::vector<double> from_bytes(const std::vector<std::byte>& bytes, DType dtype) {
  std::vector<double> values(bytes.size() / bytes_of(dtype));
  const auto load = [&](auto value) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
      values[i] = static_cast<double>(value);
    }
  };
  if (dtype == DType::f32) load(float{});
  if (dtype == DType::i32) load(std::int32_t{});
  if (dtype == DType::u8) load(std::uint8_t{});
  return values;
}

std::vector<double> run_vector(const runtime::KernelDef& kernel, const Node& node,
                               const std::vector<HostTensor>& inputs, const Extents& output,
                               runtime::Isa isa) {
  const auto count = static_cast<std::size_t>(element_count(output));
  std::vector<std::vector<float>> operands;
  for (const HostTensor& input : inputs) {
    const ops::BroadcastIndex index(input.extents, output);
    std::vector<float>& operand = operands.emplace_back(count);
    for (std::size_t i = 0; i < count; ++i) operand[i] = static_cast<float>(input.values[index(i)]);
  }
  std::vector<float> result(count);
  runtime::Immediates immediates{};
  if (kernel.immediates != nullptr) immediates = kernel.immediates(node);
  runtime::VectorArguments arguments{{}, result.data(), count, immediates.data()};
  for (std::size_t i = 0; i < operands.size(); ++i) arguments.inputs[i] = operands[i].data();
  kernel.vector->function(isa)(arguments);
  return {result.begin(), result.end()};
}

/// The inputs that a row slice of the node takes rows of, or nothing when the node runs as a whole: axis 0 of
/// the output must be the batch, and come unmixed from axis 0 of every input that holds the batch.
std::optional<std::vector<bool>> sliced_inputs(const Node& node, const std::vector<Type>& types) {
  if (node.op->axes == nullptr || node.type.shape.empty() || !node.type.shape[0].is_batch())
    return std::nullopt;
  const std::vector<AxisMap> maps = node.op->axes({types, node.type, node.attributes});
  std::vector<bool> sliced;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Shape& shape = types[i].shape;
    const bool holds_batch =
        std::any_of(shape.begin(), shape.end(), [](Dim dim) { return !dim.is_number(); });
    sliced.push_back(!shape.empty() && maps[i][0] == 0 && shape[0].is_batch());
    if (holds_batch && !sliced.back()) return std::nullopt;
  }
  return sliced;
}

std::size_t row_bytes(const Extents& extents, DType dtype) {
  std::size_t bytes = bytes_of(dtype);
  for (std::size_t axis = 1; axis < extents.size(); ++axis) bytes *= static_cast<std::size_t>(extents[axis]);
  return bytes;
}

/// The call on slices of at most `slice` rows, one after the other.
std::vector<double> run_call(const runtime::KernelDef& kernel, const Node& node,
                             const std::vector<Type>& types, const std::vector<HostTensor>& inputs,
                             const Extents& output, runtime::Isa isa, std::int64_t slice) {
  runtime::BoundNode bound{node, types, {}, output, isa};
  std::vector<std::vector<std::byte>> buffers;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    bound.inputs.push_back(inputs[i].extents);
    buffers.push_back(to_bytes(inputs[i], types[i].dtype));
  }
  std::vector<const std::byte*> pointers;
  for (const std::vector<std::byte>& buffer : buffers) pointers.push_back(buffer.data());
  const auto count = static_cast<std::size_t>(element_count(output));
  std::vector<std::byte> result(count * bytes_of(node.type.dtype));
  const std::unique_ptr<runtime::Call> call = kernel.make(bound);
  std::vector<std::max_align_t> scratch(call->scratch_bytes() / sizeof(std::max_align_t) + 1);
  runtime::CallArguments arguments;
  arguments.inputs = pointers;
  arguments.scratch = reinterpret_cast<std::byte*>(scratch.data());
  const std::int64_t rows = output.empty() ? 1 : output[0];
  const std::vector<bool> sliced =
      sliced_inputs(node, types).value_or(std::vector<bool>(types.size(), false));
  for (std::int64_t row = 0; row < rows || row == 0; row += slice) {
    for (std::size_t i = 0; i < pointers.size(); ++i) {
      const auto first = static_cast<std::size_t>(row);
      pointers[i] =
          buffers[i].data() + (sliced[i] ? first * row_bytes(inputs[i].extents, types[i].dtype) : 0);
    }
    arguments.output = result.data() + static_cast<std::size_t>(row) * row_bytes(output, node.type.dtype);
    arguments.row_begin = row;
    arguments.row_count = std::min(slice, rows - row);
    call->run(arguments);
  }
  return from_bytes(result, node.type.dtype);
}

void check_kernel(const OpCase& one, const Graph& graph, std::int64_t rows) {
  const Node& node = graph.node(graph.output("y"));
  const runtime::KernelDef* kernel = ops::kernels().find(*node.op);
  if (kernel == nullptr || (!kernel->vector && kernel->make == nullptr)) return;
  const std::map<std::string, HostTensor> fed = feeds(one, rows);
  std::vector<HostTensor> inputs;
  std::vector<Type> types;
  for (std::size_t i = 0; i < one.operands.size(); ++i) {
    inputs.push_back(fed.at(operand_name(i)));
    types.push_back(one.operands[i].type);
  }
  const HostTensor wanted = reference(one, graph, rows);
  for (const runtime::Isa isa : {runtime::Isa::baseline, runtime::Isa::avx2, runtime::Isa::avx512}) {
    if (isa > runtime::detected_isa()) break;
    INFO("kernel for " << to_string(isa) << ", " << rows << " rows");
    if (kernel->vector) {
      compare(run_vector(*kernel, node, inputs, wanted.extents, isa), wanted.values, one.kernel_tolerance);
    } else {
      constexpr std::int64_t whole = 1'000'000;
      const std::vector<double> got = run_call(*kernel, node, types, inputs, wanted.extents, isa, whole);
      compare(got, wanted.values, one.kernel_tolerance);
      if (sliced_inputs(node, types) && rows > 16) {
        INFO("in slices of 16 rows");
        compare(run_call(*kernel, node, types, inputs, wanted.extents, isa, 16), got, 0);
      }
    }
  }
}

// ---- Gradients -----------------------------------------------------------------------------------------

std::vector<std::string> smooth_operands(const OpCase& one) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < one.operands.size(); ++i) {
    const Operand& operand = one.operands[i];
    if (operand.smooth && operand.type.dtype == DType::f32) names.push_back(operand_name(i));
  }
  return names;
}

void check_gradient(const OpCase& one, const Graph& graph, const std::vector<std::string>& operands,
                    bool unit_cotangent) {
  InterpreterRun run;
  run.batch = one.batch;
  run.feeds = feeds(one, one.batch);
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
  const bool drawn = std::all_of(one.operands.begin(), one.operands.end(),
                                 [](const Operand& operand) { return operand.values.empty(); });
  if (drawn) {
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
