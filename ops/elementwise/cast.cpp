#include <algorithm>
#include <cmath>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

struct Range {
  double low;
  double high;
};

Range range_of(DType dtype) {
  return dtype == DType::u8 ? Range{0, 255} : Range{-2147483648.0, 2147483647.0};
}

/// Towards zero, held within the range; NaN becomes 0.
double to_integer(double x, Range range) {
  return std::isnan(x) ? 0 : std::trunc(std::clamp(x, range.low, range.high));
}

Type infer(const InferContext& context) {
  return {dtype_of(context.attributes), context.inputs[0].shape};
}

void reference(const ReferenceContext& context) {
  const std::vector<double>& x = context.inputs[0]->values;
  std::vector<double>& y = context.output.values;
  const DType dtype = context.node.type.dtype;
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = dtype == DType::f32 ? x[i] : to_integer(x[i], range_of(dtype));
  }
}

Gradients vjp(VjpContext& context) {
  return {context.cotangent};  // asked for only from f32 to f32
}

std::optional<NodeId> same_type(RuleContext& context) {
  const NodeId x = context.node.inputs[0];
  return context.builder.type(x) == context.node.type ? std::optional(x) : std::nullopt;
}

template <class To, class From>
To converted(From x, const Range& range) {
  if constexpr (std::is_same_v<To, float>) {
    return static_cast<float>(x);
  } else {
    return static_cast<To>(to_integer(static_cast<double>(x), range));
  }
}

template <class From, class To>
std::unique_ptr<runtime::Call> make_typed(const runtime::BoundNode& bound) {
  const Range range = range_of(bound.node.type.dtype);
  return runtime::make_call(
      [range, covered = CoveredElements(bound.output)](const runtime::CallArguments& a) {
        const From* const x = input_as<From>(a, 0);
        To* const y = output_as<To>(a);
        const std::size_t count = covered(a);
        for (std::size_t i = 0; i < count; ++i) {
          y[i] = converted<To>(x[i], range);
        }
      });
}

template <class From>
std::unique_ptr<runtime::Call> make_from(const runtime::BoundNode& bound) {
  switch (bound.node.type.dtype) {
    case DType::i32:
      return make_typed<From, std::int32_t>(bound);
    case DType::u8:
      return make_typed<From, std::uint8_t>(bound);
    default:
      return make_typed<From, float>(bound);
  }
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  switch (bound.input_types[0].dtype) {
    case DType::i32:
      return make_from<std::int32_t>(bound);
    case DType::u8:
      return make_from<std::uint8_t>(bound);
    default:
      return make_from<float>(bound);
  }
}

}  // namespace

Op cast() {
  OpDef op;
  op.name = "cast";
  op.doc = "The same numbers in another element type; to an integer type towards zero, held in its range.";
  op.formula = "y = (dtype) x";
  op.shapes = "[...] -> [...]";
  op.inputs = {{"x", "any shape and type"}};
  op.attributes = {dtype_attribute("the element type of the result")};
  op.infer = infer;
  op.axes = same_axes;
  op.reference = reference;
  op.gradient = vjp;
  op.rules = {{"cast_to_its_type", Phase::exact, same_type, {"dtype"}, true}};
  op.traits.elementwise = true;
  op.traits.rounds_once = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
