/// \file
/// Elementwise chains as straight-line programs of vector kernels over 2 KiB blocks that stay in the cache,
/// with reductions over the columns at their end. An element's value depends on neither slices nor blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/graph.hpp"
#include "runtime/kernels/fold.hpp"
#include "runtime/kernels/kernel.hpp"
#include "runtime/kernels/vector_kernel.hpp"

namespace graphrun::runtime {

/// Elements of one block.
inline constexpr std::size_t block_elements = 512;

/// How the elements of an operand stand to the rows x columns of a program.
enum class OperandKind : std::uint8_t {
  full,     ///< one for each element
  scalar,   ///< one for all
  row,      ///< one for each column
  column,   ///< one for each row
  strided,  ///< by Operand::strides: any other broadcasting
};

struct Operand {
  NodeId node = 0;
  bool sliced = false;  ///< moves on with the rows
  OperandKind kind = OperandKind::full;
  std::vector<std::int64_t> strides;  ///< strided: elements an axis of the shape
};

struct Instruction {
  VectorFunction function = nullptr;
  std::uint16_t arity = 0;
  std::array<std::uint16_t, max_vector_inputs> inputs{};  ///< slots
  std::uint16_t output = 0;                               ///< slot
  Immediates immediates{};
};

struct Reduction {
  ReductionKind kind = ReductionKind::sum;
  FoldFunction function = nullptr;
  std::uint16_t arity = 0;
  std::array<std::uint16_t, max_vector_inputs> inputs{};  ///< slots
  bool of_operands = false;  ///< reads nothing else, and does so before any instruction
  NodeId node = 0;
};

/// Slots are numbered: operands, then stored values, then temporaries.
struct ElementwiseProgram {
  std::vector<std::int64_t> shape;
  bool rows = false;         ///< runs on any range of axis 0, else on the whole
  std::int64_t columns = 0;  ///< 0: rows play no part, all is one run of elements
  std::vector<Operand> operands;
  std::vector<NodeId> stored;
  std::vector<std::size_t> stored_bytes;  ///< of an element of each
  std::vector<Reduction> reductions;
  std::vector<Instruction> instructions;
  std::uint16_t temporaries = 0;
  Isa isa = Isa::baseline;
  /// (stored, operand): the stored value may lie where the operand lies.
  std::vector<std::pair<NodeId, NodeId>> in_place;
};

/// A call whose inputs are the operands and whose `written` are the stored values, then the reductions.
std::unique_ptr<Call> make_elementwise_call(ElementwiseProgram program);

}  // namespace graphrun::runtime
