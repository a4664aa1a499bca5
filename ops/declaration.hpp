/// \file
/// What op files declare with: attributes, checks of operands that teach, and maps of axes.
#pragma once

#include <string>
#include <vector>

#include "ops/op.hpp"

namespace graphrun::ops {

AttributeDeclaration flag(std::string name, bool fallback, std::string doc);
AttributeDeclaration number(std::string name, double fallback, Range range, std::string doc);
AttributeDeclaration integer(std::string name, std::optional<std::int64_t> fallback, Range range,
                             std::string doc);
/// One number for both axes of images, or a list.
AttributeDeclaration integer_or_list(std::string name, std::optional<std::int64_t> fallback, Range range,
                                     std::string doc);
/// Height and width; an empty list stands for the default.
AttributeDeclaration extents(std::string name, std::optional<std::vector<std::int64_t>> fallback,
                             std::string doc);
/// An axis of the input or of the result, from either end.
AttributeDeclaration axis(std::int64_t fallback, std::string doc);
AttributeDeclaration word(std::string name, std::vector<std::string> words, std::string fallback,
                          std::string doc);
AttributeDeclaration shape_attribute(std::optional<Shape> fallback, std::string doc);

/// "dtype": f32 (default), i32 or u8.
AttributeDeclaration dtype_attribute(std::string doc);
DType dtype_of(const Attributes& attributes);

/// The attribute `shape`, or an OpError: its extents must be positive, and its elements countable.
const Shape& checked_shape(const Attributes& attributes);

/// Throws an OpError when the input is not f32; `name` is what the op calls it.
void require_f32(const Type& type, const std::string& name);

/// `axis` from 0, or an OpError that names the operand's shape.
std::size_t resolved_axis(std::int64_t axis, const Shape& shape, const std::string& attribute = "axis");

/// Every axis of every input goes to the same axis of the output.
std::vector<AxisMap> same_axes(const AxesContext& context);

/// The input's type: for ops that keep it.
Type infer_first(const InferContext& context);

/// The reference of ops that hand their first input on.
void reference_first(const ReferenceContext& context);

}  // namespace graphrun::ops
