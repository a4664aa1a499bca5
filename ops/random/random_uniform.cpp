#include <fmt/format.h>

#include <cmath>

#include "ops/elementwise/elementwise.hpp"
#include "ops/op.hpp"
#include "ops/random/random.hpp"

namespace graphrun::ops {
namespace {

/// Between two bounds.
struct Draw {
  explicit Draw(const Attributes& attributes)
      : low(attributes.number("low")), high(attributes.number("high")) {}

  template <class T>
  void operator()(const runtime::RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                  std::span<T> values) const {
    runtime::fill_uniform(stream, first_row, columns, values);
    for (T& value : values) value = static_cast<T>(low) + static_cast<T>(high - low) * value;
  }

  double low;
  double high;
};

Type infer(const InferContext& context) {
  const Draw draw(context.attributes);
  if (!(draw.low < draw.high) || !std::isfinite(draw.high - draw.low)) {
    throw OpError(fmt::format("low must be below high, but they are {} and {}", draw.low, draw.high), {},
                  "low");
  }
  return infer_random(context);
}

void reference(const ReferenceContext& context) {
  RandomRows(context.node, context.output.extents).fill(context, Draw(context.node.attributes));
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call([rows = RandomRows(bound.node, bound.output), draw = Draw(bound.node.attributes)](
                                const runtime::CallArguments& a) { rows.fill(a, draw); });
}

}  // namespace

Op random_uniform() {
  OpDef op;
  op.name = "random_uniform";
  op.doc = "Uniform draws between two bounds, new for every step.";
  op.formula = "y ~ U[low, high)";
  op.shapes = "-> shape";
  op.attributes = {random_shape(), number("low", 0, finite(), "the least value"),
                   number("high", 1, finite(), "no value reaches it")};
  op.infer = infer;
  op.axes = same_axes;
  op.reference = reference;
  op.gradient = ZeroGradient{};
  op.traits.random = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
