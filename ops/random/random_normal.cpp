#include "ops/op.hpp"
#include "ops/random/random.hpp"

namespace graphrun::ops {
namespace {

constexpr auto draw = [](const runtime::RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                         auto values) { runtime::fill_normal(stream, first_row, columns, values); };

void reference(const ReferenceContext& context) {
  RandomRows(context.node, context.output.extents).fill(context, draw);
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call(
      [rows = RandomRows(bound.node, bound.output)](const runtime::CallArguments& a) { rows.fill(a, draw); });
}

}  // namespace

Op random_normal() {
  OpDef op;
  op.name = "random_normal";
  op.doc = "Standard normal draws, new for every step.";
  op.formula = "y ~ N(0, 1)";
  op.shapes = "-> shape";
  op.attributes = {random_shape()};
  op.infer = infer_random;
  op.axes = same_axes;
  op.reference = reference;
  op.gradient = ZeroGradient{};
  op.traits.random = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
