// The kernels of an op against its reference, on every instruction set that this machine has.
#include <algorithm>
#include <cstring>

#include "graph/op.hpp"
#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "runtime/kernels/kernel.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/machine/host_state.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

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
  const runtime::HostState host;
  const std::unique_ptr<runtime::Call> call = kernel.make(bound);
  const std::unique_ptr<runtime::CallState> state = call->bind();
  const runtime::AlignedBytes scratch = runtime::allocate_aligned(call->scratch_bytes());
  runtime::CallArguments arguments;
  bool failed = false;
  arguments.failed = &failed;
  arguments.state = state.get();
  arguments.inputs = pointers;
  arguments.scratch = scratch.get();
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
  CHECK(!failed);
  CHECK(call->warning().empty());
  return from_bytes(result, node.type.dtype);
}

/// As lowering has it: elementwise ops of f32 alone.
bool runs_in_groups(const runtime::KernelDef& kernel, const std::vector<Type>& types) {
  return kernel.vector &&
         std::ranges::all_of(types, [](const Type& type) { return type.dtype == DType::f32; });
}

}  // namespace

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

void check_kernel(const OpCase& one, const Graph& graph, std::int64_t rows) {
  const Node& node = graph.node(graph.output("y"));
  const runtime::KernelDef* kernel = ops::kernels().find(*node.op);
  if (kernel == nullptr || (!kernel->vector && kernel->make == nullptr)) return;
  if (kernel->matmul && node.type.shape.size() == 2) return;  // one product, which is the provider's
  const std::map<std::string, HostTensor> fed = operand_values(one, rows);
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
    if (runs_in_groups(*kernel, types)) {
      compare(run_vector(*kernel, node, inputs, wanted.extents, isa), wanted.values, one.kernel_tolerance);
    } else {
      constexpr std::int64_t whole = 1'000'000;
      const std::vector<double> got = run_call(*kernel, node, types, inputs, wanted.extents, isa, whole);
      compare(got, wanted.values, one.kernel_tolerance);
      if (!sliced_inputs(node, types) || rows <= 16) continue;
      for (const std::int64_t slice : {16, 5}) {
        INFO("in slices of " << slice << " rows");
        compare(run_call(*kernel, node, types, inputs, wanted.extents, isa, slice), got, 0);
      }
    }
  }
}

}  // namespace graphrun::op_table
