#include <cmath>

#include "ops/reduce/along_axis.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  using Output = float;
  [[gnu::always_inline]] static void vector(const float* x, float* y, std::size_t length,
                                            std::size_t stride) noexcept {
    const float largest = fold<MaxFold>(x, length, stride);
    for (std::size_t i = 0; i < length; ++i) y[i * stride] = runtime::vector_exp(x[i * stride] - largest);
    const float total = fold<SumFold>(y, length, stride);
    for (std::size_t i = 0; i < length; ++i) y[i * stride] /= total;
  }
};

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const AxisLayout layout(context.node.attributes, x.extents);
  for_each_vector(layout, [&](std::size_t, auto index) {
    const double total = reference_logsumexp(x.values, layout.length, index);
    for (std::size_t k = 0; k < layout.length; ++k) {
      context.output.values[index(k)] = std::exp(x.values[index(k)] - total);
    }
  });
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Term weighted = t.g * t.y;
  const Attributes along = {{"axis", single_axis(context.node().attributes)}, {"keepdims", true}};
  return {weighted - t.y * call("sum", {weighted}, along)};
}

}  // namespace

Op softmax() {
  OpDef op;
  op.name = "softmax";
  op.doc = "Positive numbers that sum to 1 along an axis.";
  op.formula = "y = exp(x) / sum of exp(x) over `axis`";
  op.attributes = {axis_attribute("the axis that sums to 1")};
  op.reference = reference;
  op.gradient = vjp;
  return same_shape_along_axis<Body>(std::move(op));
}

}  // namespace graphrun::ops
