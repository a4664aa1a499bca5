#include "ops/elementwise/whole_numbers.hpp"

#include <algorithm>

#include "runtime/kernels/elementwise_program.hpp"

namespace graphrun::ops {
namespace {

/// How the elements of an operand stand to those of the result.
runtime::Operand operand_of(const Extents& input, const Extents& output) {
  runtime::Operand operand;
  if (input == output) return operand;
  operand.kind = element_count(input) == 1 ? runtime::OperandKind::scalar : runtime::OperandKind::strided;
  operand.strides.assign(output.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t i = 1; i <= input.size(); ++i) {
    const std::int64_t extent = input[input.size() - i];
    if (extent != 1) operand.strides[output.size() - i] = stride;
    stride *= extent;
  }
  return operand;
}

/// A program of one instruction, which a group of ops would run in the same way.
runtime::ElementwiseProgram program_of(const runtime::BoundNode& bound, runtime::VectorFunction function) {
  runtime::ElementwiseProgram program;
  program.shape = bound.output;
  program.rows = !bound.output.empty();
  program.isa = bound.isa;
  for (const Extents& input : bound.inputs) program.operands.push_back(operand_of(input, bound.output));
  program.stored = {0};
  program.stored_bytes = {sizeof(float)};
  runtime::Instruction instruction;
  instruction.function = function;
  instruction.arity = static_cast<std::uint16_t>(bound.inputs.size());
  for (std::size_t i = 0; i < bound.inputs.size(); ++i)
    instruction.inputs.at(i) = static_cast<std::uint16_t>(i);
  instruction.output = instruction.arity;
  program.instructions = {instruction};
  return program;
}

class BroadcastCall final : public runtime::Call {
 public:
  explicit BroadcastCall(std::unique_ptr<runtime::Call> program) : program_(std::move(program)) {}

  void run(const runtime::CallArguments& a) const noexcept override {
    runtime::CallArguments arguments = a;
    arguments.written = {&arguments.output, 1};
    program_->run(arguments);
  }
  std::size_t scratch_bytes() const override { return program_->scratch_bytes(); }

 private:
  std::unique_ptr<runtime::Call> program_;
};

/// The type of operands that are alike, f32 or i32; all others are what elementwise ops refuse.
DType common_type(const InferContext& context) {
  const bool are_whole =
      std::ranges::all_of(context.inputs, [](const Type& input) { return input.dtype == DType::i32; });
  return are_whole ? DType::i32 : DType::f32;
}

Type infer_as(const InferContext& context, DType operands, DType result) {
  std::vector<Type> inputs(context.inputs.begin(), context.inputs.end());
  if (operands == DType::i32)
    for (Type& input : inputs) input.dtype = DType::f32;
  return {result, infer_elementwise({inputs, context.attributes}).shape};
}

}  // namespace

Type infer_of_either(const InferContext& context) {
  const DType operands = common_type(context);
  return infer_as(context, operands, operands);
}

Type infer_truth(const InferContext& context) {
  return infer_as(context, common_type(context), DType::f32);
}

std::unique_ptr<runtime::Call> make_broadcast_call(const runtime::BoundNode& bound,
                                                   runtime::VectorFunction function) {
  return std::make_unique<BroadcastCall>(runtime::make_elementwise_call(program_of(bound, function)));
}

}  // namespace graphrun::ops
