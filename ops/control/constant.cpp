#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

[[noreturn]] void refuse(DType dtype, double value) {
  const std::string_view held = dtype == DType::u8    ? "whole numbers from 0 to 255"
                                : dtype == DType::i32 ? "whole numbers from -2147483648 to 2147483647"
                                                      : "numbers up to 3.4028235e+38 either way";
  throw OpError(fmt::format("{} is not in {}, which holds {}", value, to_string(dtype), held),
                dtype == DType::f32 ? "" : "cast(x, dtype=…) converts: towards zero, and held in the range.",
                "values");
}

Type infer(const InferContext& context) {
  const std::vector<double>& values = context.attributes.numbers("values");
  const Shape& shape = checked_shape(context.attributes);
  const auto count = static_cast<std::int64_t>(values.size());
  if (count != 1 && element_polynomial(shape) != std::vector{count}) {
    throw OpError(fmt::format("{} values do not fill the shape {}", count, to_string(shape)),
                  "Give one value for all elements, or one for each.", "values");
  }
  const DType dtype = dtype_of(context.attributes);
  const auto wrong = std::ranges::find_if_not(values, [dtype](double value) { return holds(dtype, value); });
  if (wrong != values.end()) refuse(dtype, *wrong);
  return {dtype, shape};
}

void reference(const ReferenceContext& context) {
  const std::vector<double>& values = context.node.attributes.numbers("values");
  std::vector<double>& output = context.output.values;
  for (std::size_t i = 0; i < output.size(); ++i) output[i] = values.size() == 1 ? values[0] : values[i];
}

template <class T>
std::unique_ptr<runtime::Call> make_typed(const runtime::BoundNode& bound) {
  const std::vector<double>& numbers = bound.node.attributes.numbers("values");
  std::vector<T> values(numbers.size());
  std::transform(numbers.begin(), numbers.end(), values.begin(), [](double x) { return static_cast<T>(x); });
  return runtime::make_call(
      [values = std::move(values), covered = CoveredElements(bound.output)](const runtime::CallArguments& a) {
        T* const output = output_as<T>(a);
        if (values.size() == 1) {
          std::fill_n(output, covered(a), values[0]);
        } else {
          std::copy_n(values.begin(), values.size(), output);
        }
      });
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  switch (bound.node.type.dtype) {
    case DType::i32:
      return make_typed<std::int32_t>(bound);
    case DType::u8:
      return make_typed<std::uint8_t>(bound);
    default:
      return make_typed<float>(bound);
  }
}

}  // namespace

Op constant() {
  OpDef op;
  op.name = "constant";
  op.doc = "Numbers that never change.";
  op.formula = "y = values";
  op.shapes = "-> shape";
  op.attributes = {{.name = "values",
                    .kind = AttributeKind::numbers,
                    .doc = "one number for all elements, or one for each"},
                   shape_attribute(Shape{}, "its shape; a scalar by default"),
                   dtype_attribute("its element type")};
  op.infer = infer;
  op.reference = reference;
  op.gradient = ZeroGradient{};
  op.traits.constant = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
