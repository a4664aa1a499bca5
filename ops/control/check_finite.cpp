#include <algorithm>
#include <cmath>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"
#include "ops/update/update.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_f32(context.inputs[0], "x");
  return {DType::none, {}};
}

void reference(const ReferenceContext& context) {
  const std::vector<double>& x = context.inputs[0]->values;
  if (std::all_of(x.begin(), x.end(), [](double value) { return std::isfinite(value); })) return;
  throw Error(ErrorCode::not_finite, "a value that must be finite is not", {}, context.node.name);
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const auto count = static_cast<std::size_t>(element_count(bound.inputs[0]));
  return runtime::make_call([count](const runtime::CallArguments& a) {
    const float* const x = input_as<float>(a, 0);
    std::uint32_t worst = 0;
    for (std::size_t i = 0; i < count; ++i) worst |= not_finite_bit(x[i]);
    if (worst != 0) report_non_finite(a);
  });
}

}  // namespace

Op check_finite() {
  OpDef op;
  op.name = "check_finite";
  op.doc = "Stops the step, before any update, when a value is NaN or infinite.";
  op.formula = "requires |x| < infinity";
  op.shapes = "[...] ->";
  op.inputs = {{"x", "what must be finite: the loss"}};
  op.infer = infer;
  op.reference = reference;
  op.gradient = NotDifferentiable{"it has no value"};
  op.traits.effect = true;
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
