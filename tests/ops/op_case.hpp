/// \file
/// One table drives every check of an op: types, reference values, kernels against the reference on every
/// instruction set, gradients against finite differences, second derivatives, fan-out, broadcasts, no rows.
/// An op's rows say only what is its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/attribute.hpp"
#include "graph/interpreter.hpp"
#include "graph/type.hpp"

namespace graphrun::op_table {

inline const Dim batch = Dim::batch();
inline Dim number(std::int64_t value) {
  return Dim::number(value);
}

/// One input of the op: given values, or drawn ones (equal at every run), uniform in [low, high).
struct Operand {
  double low = -2;
  double high = 2;
  Type type = {DType::f32, {Dim::batch(), Dim::number(3)}};
  std::vector<double> values = {};  ///< for the case's batch; all of them or none
  bool smooth = true;               ///< its gradient exists and is checked
};

/// An operand of f32 with these values.
Operand given(Shape shape, std::vector<double> values);

struct OpCase {
  std::string op;
  std::vector<Operand> operands;
  Attributes attributes = {};
  std::vector<double> expected = {};  ///< closed forms or known numbers; none: only the other checks
  std::optional<Type> type = {};      ///< expected; none: not compared
  std::int64_t batch = 3;
  bool second = true;  ///< check second derivatives too
  /// Of the kernel: |f32 - f64| <= kernel_tolerance * max(1, |f64|).
  double kernel_tolerance = 2e-6;
};

/// The same case with operands of many shapes that broadcast, for elementwise ops.
std::vector<OpCase> over_shapes(const OpCase& original);

/// Runs all checks; failures tell the op, the shapes and the attributes.
void check(const OpCase& one);

// ---- Pieces of the checks, for tests of whole graphs ------------------------------------------------------

/// The op with its operands as inputs x0, x1, … of a builder; returns the op's node.
NodeId add_op(Builder& builder, const OpCase& one);
/// The operands' values by the name of their input nodes; the same at every run.
std::map<std::string, HostTensor> operand_values(const OpCase& one, std::int64_t rows);
bool has_drawn_operands(const OpCase& one);
/// The operands whose gradient is checked, by input node.
std::vector<std::string> smooth_operands(const OpCase& one);
std::vector<std::byte> to_bytes(const HostTensor& tensor, DType dtype);
std::vector<double> from_bytes(const std::vector<std::byte>& bytes, DType dtype);
/// |got - wanted| <= tolerance * max(1, |wanted|) for each element; NaN agrees with NaN alone.
void compare(const std::vector<double>& got, const std::vector<double>& wanted, double tolerance);
std::string describe(const OpCase& one);
std::string operand_name(std::size_t i);  ///< x0, x1, …
/// The value of the graph's output "y" for the case's operands.
HostTensor reference(const OpCase& one, const Graph& graph, std::int64_t rows);
/// The op's kernels, if it has any of its own, against the reference.
void check_kernel(const OpCase& one, const Graph& graph, std::int64_t rows);

/// A mistake and what must be said about it.
struct ErrorCase {
  std::string op;
  std::vector<Type> operands;
  Attributes attributes;
  std::string message;  ///< a part of it
};
void check(const ErrorCase& one);

/// The whole table: one function a group of ops, each in its own file of tests/ops/.
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> structure_cases();
std::vector<OpCase> image_cases();
std::vector<OpCase> statistics_cases();
std::vector<OpCase> sequence_cases();
std::vector<OpCase> all_cases();

/// Ops that no row can show (inputs, effects, placeholders): each has a test of its own that names it.
std::vector<std::string> tested_on_their_own();

}  // namespace graphrun::op_table
